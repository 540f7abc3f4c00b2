import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { listSnapshots } from "../../local/cloud/aws/records";
import { connect } from "../../local/cloud/client";
import { listObjects } from "../../local/cloud/kubernetes";
import { dumpDatabase } from "../support/dump";
import { testsBuildOnEachOther } from "../support/lifecycle";
import { listedActions, restoreActions } from "../support/readme";
import { Cli, endedSteps, getJson, ownHistory, processesOf, tree, until } from "./cli";

/** Without the rows that the migrator writes down for itself: there a failed migration does leave its trace. */
function ofTheApp(dump: string): string {
  return dump.replaceAll(/^rows of _release\..*\n(?:\(.*\n)*/gm, "");
}

/** One stack through its life. The tests build on each other, in their order: each is one more command of its operator. */
describe.sequential("a stack's life", { timeout: 300_000 }, () => {
  testsBuildOnEachOther();
  // The last two, the contract, come with the second release.
  const cli = new Cli(6);
  const later = ownHistory().slice(6);
  const snapshotNames = async () => (await listSnapshots(cli.cloudDir())).map(({ identifier }) => identifier);
  /** What the cluster was told to be; pods come and go by themselves (the last rollout's may still be leaving). */
  const declared = () =>
    listObjects(cli.cloudDir())
      .filter(({ kind }) => kind !== "Pod")
      .map(({ kind, metadata: { name, uid }, spec }) => ({ kind, name, uid, spec }));
  /** From now on the AWS credentials may do what the README lists, as far as it matches, and nothing else. */
  const grant = (which: RegExp) => {
    const granted = listedActions("instance").filter((action) => which.test(action));
    writeFileSync(join(cli.cloudDir(), "granted.json"), JSON.stringify(granted));
  };
  let url: string;
  /** What the stuck rollout said. */
  let said = "";
  const dumps = new Map<string, string>();
  afterAll(() => cli.end(), 60_000);

  test("a preview without anything running changes nothing, and says what would be created", async () => {
    const ran = await cli.run("preview");
    expect(ran.status, ran.stderr).toBe(0);
    for (const kind of ["Snapshot", "ConfigMap", "Job", "Deployment", "Service"]) {
      expect(ran.stdout).toMatch(new RegExp(`^\\+ ${kind} .*would be created$`, "m"));
    }
    expect(ran.stdout).toContain("Nothing was touched. To do it: npm run local -- up");
    expect(existsSync(cli.stateDir)).toBe(false);
    expect(processesOf(cli.stateDir)).toEqual([]);
  });

  test("the first release takes its steps in order, and the url answers from the new schema", async () => {
    const ran = await cli.run("up", "--json");
    expect(ran.status, ran.stderr).toBe(0);
    const chain = [
      ["Job", "notes-preflight-"],
      ["Snapshot", "notes-db-"],
      ["Job", "notes-migrate-"],
      ["Deployment", "notes"],
    ].map(([kind, name]) => endedSteps(ran, kind).find((step) => step.name.startsWith(name!))!);
    for (const step of chain) expect(step).toMatchObject({ status: "succeeded", op: "create" });
    const at = ({ urn }: { urn: string }, status: string) =>
      ran.steps.findIndex((step) => step.urn === urn && step.status === status);
    for (const [index, step] of chain.slice(1).entries()) {
      expect(Date.parse(chain[index]!.endedAt!)).toBeLessThanOrEqual(Date.parse(step.startedAt));
      expect(at(chain[index]!, "succeeded")).toBeLessThan(at(step, "started"));
    }

    const { outputs } = ran.events.find(({ kind }) => kind === "outputs");
    expect(outputs).toMatchObject({
      image: "notes:1.0.0",
      migrations: { count: 6, last: ownHistory()[5] },
      snapshot: { id: chain[1]!.name },
    });
    expect(ran.events.at(-1)).toMatchObject({ kind: "summary", verb: "up", status: "succeeded", ok: true });
    url = outputs.url;
    expect(await getJson(url, "/health")).toEqual({
      status: 200,
      body: { status: "ok", version: "1.0.0", schemaVersion: ownHistory()[5] },
    });
    expect((await getJson(url, "/notes")).body.notes).toEqual([
      expect.objectContaining({ subject: "Welcome", pinned: false, state: "open" }),
    ]);
  });

  test("the same again takes no step", async () => {
    const ran = await cli.run("up", "--json");
    expect(ran.status, ran.stderr).toBe(0);
    expect(ran.steps).toEqual([]);
    expect(ran.events.at(-1)).toMatchObject({ ok: true });
    const preview = await cli.run("preview");
    expect(preview.stdout).toContain("`up` would do nothing");
    expect(preview.stdout).toMatch(/^ {2}Deployment +notes +kept as it is$/m);
  });

  test("a new image alone takes no snapshot and is rolled out", async () => {
    const before = await snapshotNames();
    cli.set("app.image", "notes:1.1.0");
    const ran = await cli.run("up", "--json");
    expect(ran.status, ran.stderr).toBe(0);
    expect(endedSteps(ran, "Snapshot")).toEqual([]);
    expect(endedSteps(ran, "Deployment")).toMatchObject([{ op: "update", status: "succeeded" }]);
    expect(await snapshotNames()).toEqual(before);
    expect((await getJson(url, "/health")).body.version).toBe("1.1.0");
    expect((await cli.outputs())["url"]).toBe(url);
  });

  test("up takes back what a person changed, although the settings are unchanged, and keeps an autoscaler's pods", async () => {
    const cloud = await connect(cli.cloudDir());
    const reference = { group: "apps", kind: "Deployment", namespace: "default", name: "notes" };
    const live = async () => (await cloud.call("kubernetes.get", reference))!;
    await cloud.call("kubernetes.scale", { reference, replicas: 3, manager: "kube-controller-manager" });
    const scaled = await live();
    const object = structuredClone(scaled);
    object["spec"].template.spec.containers[0].image = "notes:1.0.0";
    const by = { manager: "kubectl-set", operation: "Update" } as const;
    await cloud.call("kubernetes.apply", { object, mode: "update", by });

    const preview = await cli.run("preview");
    expect(preview.status, preview.stderr).toBe(0);
    const ran = await cli.run("up", "--json");
    expect(ran.status, ran.stderr).toBe(0);
    for (const said of [preview.stdout + preview.stderr, ran.stdout + ran.stderr]) {
      expect(said).toMatch(/kubectl-set at \S+ changed spec.template.spec.containers\[name=\W+app\W+\].image/);
      expect(said).toContain("it is notes:1.0.0, and this release sets notes:1.1.0.");
      expect(said).toContain("Deployment notes has 3 pods, set by kube-controller-manager (scale)");
    }
    expect(endedSteps(ran, "Deployment")).toMatchObject([{ op: "update", status: "succeeded" }]);
    const { replicas, template } = (await live())["spec"];
    expect([replicas, template.spec.containers[0].image]).toEqual([3, "notes:1.1.0"]);

    const again = await cli.run("up", "--json");
    expect(again.status, again.stderr).toBe(0);
    expect(again.steps).toEqual([]);
    await cloud.call("kubernetes.scale", { reference, replicas: 2 });
    await cloud.call("kubernetes.awaitReady", { reference, timeoutSeconds: 60 });
  });

  test("a preview of the next release says what would be created, updated, kept and forgotten, and changes nothing", async () => {
    for (const name of later) cli.addMigration(name);
    grant(/Describe/);
    const before = declared();
    const state = tree(`${cli.stateDir}/release/local`);
    const ran = await cli.run("preview");
    expect(ran.status, ran.stderr).toBe(0);
    expect(ran.stdout).toMatch(/^\+ Snapshot .*would be created$/m);
    expect(ran.stdout).toMatch(/^\+ Job .*would be created$/m);
    expect(ran.stdout).toMatch(/^- Job .*would be deleted$/m);
    expect(ran.stdout).toMatch(/^○ Snapshot .*no longer managed; the snapshot stays in RDS$/m);
    expect(ran.stdout).toMatch(/^ {2}Service .*kept as it is$/m);
    expect(declared()).toEqual(before);
    const ownFiles = (files: Record<string, string>) =>
      Object.entries(files).filter(([path]) =>
        /(state\.json|state\.key|last-run\.json|lock|instance\.json|snapshot\.json)$/.test(path),
      );
    expect(ownFiles(tree(`${cli.stateDir}/release/local`))).toEqual(ownFiles(state));
  });

  test("a new migration takes a snapshot, migrates and rolls out, and forgets the old snapshot without deleting it", async () => {
    await fetch(new URL("/notes", url), {
      method: "POST",
      headers: { "content-type": "application/json", connection: "close" },
      body: JSON.stringify({ subject: "from before the second release" }),
    });
    dumps.set("second", await dumpDatabase(cli.connection().adminUrl));
    grant(/./);
    const before = await snapshotNames();
    cli.set("app.image", "notes:1.2.0");
    const ran = await cli.run("up", "--json");
    expect(ran.status, ran.stderr).toBe(0);
    expect(endedSteps(ran, "Snapshot")).toMatchObject([
      { op: "create", status: "succeeded" },
      { op: "delete", status: "succeeded", retained: true },
    ]);
    expect(await snapshotNames()).toEqual([...before, endedSteps(ran, "Snapshot")[0]!.name]);
    expect((await getJson(url, "/health")).body).toMatchObject({ version: "1.2.0", schemaVersion: later.at(-1) });
  });

  const failing = "20260401090000_limit_subject";
  test("a failed migration leaves the old version serving and the database as it was, and says what and where", async () => {
    await cli.run("query", `INSERT INTO notes (subject) VALUES ('${"long ".repeat(30)}')`);
    cli.addMigration(
      failing,
      'ALTER TABLE "notes" ADD COLUMN "archived_at" TIMESTAMPTZ(3);\n\n' +
        'ALTER TABLE "notes" ADD CONSTRAINT "notes_subject_length" CHECK (char_length("subject") <= 80);\n',
    );
    cli.set("app.image", "notes:1.3.0");
    const dump = await dumpDatabase(cli.connection().adminUrl);
    dumps.set("third", dump);
    const [outputs, before] = [await cli.outputs(), await snapshotNames()];

    const ran = await cli.run("up");
    expect(ran.status).toBe(1);
    expect(ran.stdout).toMatch(/✗ \+ Job +notes-migrate-\w+ +failed/);
    expect(ran.stdout).toContain("notes_subject_length");
    expect(ran.stdout).toMatch(/3 \| ALTER TABLE "notes" ADD CONSTRAINT .*\n +\^/);
    expect(ran.stdout).toContain("To see why: npm run local -- logs notes-migrate-");
    expect(ran.stdout).toContain("notes:1.2.0 serves with 2 pods");

    expect(ofTheApp(await dumpDatabase(cli.connection().adminUrl))).toBe(ofTheApp(dump));
    expect((await getJson(url, "/health")).body).toMatchObject({ status: "ok", version: "1.2.0" });
    expect(await cli.outputs()).toEqual(outputs);
    expect((await snapshotNames()).length).toBe(before.length + 1);
    const status = await cli.run("status");
    expect(status.stdout).toMatch(/last +up failed/);
    expect(status.stdout).toMatch(
      /create of Job notes-migrate-\w+ +FAILED .*Migration 20260401090000_limit_subject failed/,
    );
    expect(status.stdout).toMatch(/next +npm run local -- up/);
  });

  test("after the repair the same command finishes the release, with no second snapshot", async () => {
    const before = await snapshotNames();
    expect((await cli.run("query", "UPDATE notes SET subject = left(subject, 80)")).stdout).toContain("UPDATE");
    const ran = await cli.run("up", "--json");
    expect(ran.status, ran.stderr).toBe(0);
    expect(endedSteps(ran, "Job").filter(({ op }) => op !== "delete")).not.toEqual([]);
    expect(await snapshotNames()).toEqual(before);
    expect((await getJson(url, "/health")).body).toMatchObject({ version: "1.3.0", schemaVersion: failing });
  });

  test("a rollout that never gets ready fails, and the old pods serve", async () => {
    cli.set("app.image", "notes:1.4.0-unready");
    const quick = ["--config", "app.startupTimeout=8s", "--config", "app.progressDeadline=9s"];
    const outputs = await cli.outputs();
    const ran = await cli.run("up", "--json", ...quick);
    expect(ran.status).toBe(1);
    expect(endedSteps(ran, "Deployment")).toMatchObject([{ op: "update", status: "failed" }]);
    expect((await getJson(url, "/health")).body).toMatchObject({ status: "ok", version: "1.3.0" });
    expect(await cli.outputs()).toEqual(outputs);
    const status = await cli.run("status");
    expect(status.stdout).toMatch(/notes +notes:1\.3\.0 +2 of 2 pods ready; notes:\S+-unready is not ready/);
    said = ran.events.map(({ message }) => message ?? "").join("\n");
  });

  test("the message of that rollout names the command that brings it back to green, typed as it stands", async () => {
    expect(said).toMatch(/Deployment notes was not rolled out\.\n[\s\S]*the version before works with it\.\n/);
    const command = /^To go back: (npm run local -- up .*)$/m.exec(said)?.[1];
    expect(command).toContain("--config app.image=notes:1.3.0");
    await cli.type(command!);
    expect((await getJson(url, "/health")).body).toMatchObject({ status: "ok", version: "1.3.0" });
    expect((await cli.run("status")).stdout).toMatch(/notes +notes:1\.3\.0 +2 of 2 pods ready\n/);

    cli.set("app.image", "notes:1.4.1");
    const repaired = await cli.run("up");
    expect(repaired.status, repaired.stdout).toBe(0);
    expect((await getJson(url, "/health")).body.version).toBe("1.4.1");
  });

  test("a restored snapshot holds exactly the rows from before its release", async () => {
    const names = await snapshotNames();
    const listed = await cli.run("snapshots", "--json");
    expect(listed.events.map(({ identifier, status }) => [identifier, status])).toEqual(
      names.map((name) => [name, "available"]),
    );
    expect((await cli.run("outputs", "restore")).stdout).toBe(`npm run local -- restore --to ${names[2]}\n`);
    // Whoever restores has other rights than the release.
    writeFileSync(join(cli.cloudDir(), "granted.json"), JSON.stringify(restoreActions()));
    for (const [release, name] of [
      ["second", names[1]!],
      ["third", names[2]!],
    ] as const) {
      const look = release === "third" ? [] : ["--no-verify"];
      const ran = await cli.run("restore", "--to", name, "--json", ...look);
      expect(ran.status, ran.stderr).toBe(0);
      const { copy: restored, verified } = ran.events.at(-1)!;
      if (release === "third") expect(verified).toMatchObject({ status: 0, found: { findings: [] } });
      expect(await dumpDatabase(cli.connection("local", restored).adminUrl)).toBe(dumps.get(release));
      const counted = await cli.run("query", "SELECT count(*)::int AS n FROM notes", "--instance", restored, "--json");
      expect(counted.events).toEqual([{ n: release === "second" ? 2 : 3 }]);
    }
    expect((await getJson(url, "/health")).body.version).toBe("1.4.1");
    grant(/./);
  });

  test("after down nothing of it runs; the next up takes no step and serves again", async () => {
    expect(processesOf(cli.stateDir)).not.toEqual([]);
    expect((await cli.run("down")).status).toBe(0);
    expect(processesOf(cli.stateDir)).toEqual([]);
    expect((await cli.run("status")).stdout).toContain("stopped; nothing of this stack runs");
    expect((await cli.run("query", "SELECT 1")).stderr).toContain("is stopped");

    const ran = await cli.run("up", "--json");
    expect(ran.status, ran.stderr).toBe(0);
    expect(ran.steps).toEqual([]);
    expect((await getJson(url, "/health")).body).toMatchObject({ version: "1.4.1", schemaVersion: failing });
    expect((await getJson(url, "/notes")).body.notes).toHaveLength(3);
  });

  test("a refresh finds nothing new", async () => {
    const ran = await cli.run("refresh", "--json");
    expect(ran.status, ran.stderr).toBe(0);
    expect(ran.steps.filter(({ found }) => found !== undefined && found !== "same")).toEqual([]);
  });

  test("the logs of app, migration, database and cloud can be read", async () => {
    expect((await cli.run("logs", "app")).stdout).toContain("notes 1.4.1 listens on port");
    expect((await cli.run("logs", "migration")).stdout).toMatch(/Done|up to date|nothing/i);
    expect((await cli.run("logs", "database")).stdout).toContain("database system is ready to accept connections");
    expect((await cli.run("logs", "cloud")).status).toBe(0);
    expect((await cli.run("logs", "nothing")).stderr).toContain(
      "There is no log of nothing. There are app, migration, preflight",
    );
  });

  test("destroy removes what the stack owns, and keeps the snapshots", async () => {
    const names = await snapshotNames();
    const ran = await cli.run("destroy");
    expect(ran.status, ran.stderr).toBe(0);
    expect(await snapshotNames()).toEqual(names);
    expect(ran.stdout).toMatch(/snapshots? kept/);
    expect(await cli.outputs()).toEqual({});
    await until(async () => (await fetch(url).catch(() => "refused")) === "refused", "nobody answers on the url");
    expect((await cli.run("query", "SELECT count(*)::int AS n FROM notes", "--json")).events).toEqual([{ n: 3 }]);
    expect((await cli.run("down")).status).toBe(0);
    expect(processesOf(cli.stateDir)).toEqual([]);
    expect(readdirSync(cli.stateDir)).toEqual(["release"]);
  });
});
