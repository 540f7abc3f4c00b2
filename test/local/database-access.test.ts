import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { connect } from "../../local/cloud/client";
import { listObjects } from "../../local/cloud/kubernetes";
import { migrate } from "../migrator/support";
import { testsBuildOnEachOther } from "../support/lifecycle";
import { Cli, getJson, ownHistory, tree, until } from "./cli";

const pods = (cli: Cli) =>
  listObjects(cli.cloudDir()).filter(
    ({ kind, metadata }) =>
      kind === "Pod" && metadata.labels?.["app.kubernetes.io/component"] === "app" && !metadata.deletionTimestamp,
  );
const isReady = (pod: any) =>
  pod.status?.conditions?.some(
    ({ type, status }: { type: string; status: string }) => type === "Ready" && status === "True",
  );

describe.sequential("a release whose connections are in separate values, and then in files", {
  timeout: 300_000,
}, () => {
  testsBuildOnEachOther();
  const cli = new Cli(6);
  const keys = { userKey: "username", passwordKey: "password", hostKey: "host", portKey: "port", nameKey: "dbname" };
  let url: string;
  afterAll(() => cli.end(), 60_000);

  test("separate values in a Secret for each role", async () => {
    cli.set("database.secret", JSON.stringify({ name: "notes-app", ...keys }));
    cli.set("database.migration", JSON.stringify({ secret: { name: "notes-migration" } }));
    cli.set("app.schemaGate", "true");
    const ran = await cli.run("up", "--json");
    expect(ran.status, ran.stderr + ran.stdout).toBe(0);
    url = (await cli.outputs())["url"] as string;
    expect((await getJson(url, "/health")).body).toMatchObject({ schemaVersion: ownHistory()[5] });
    for (const pod of pods(cli)) expect(pod["status"].initContainerStatuses[0].state.terminated.exitCode).toBe(0);
  });

  test("a pod that is started on a restored, older database waits until that is migrated", async () => {
    cli.addMigration("20270101000000_more", 'ALTER TABLE "notes" ADD COLUMN "more" TEXT;\n');
    const ran = await cli.run("up", "--json");
    expect(ran.status, ran.stderr + ran.stdout).toBe(0);
    const { id: snapshot } = (await cli.outputs())["snapshot"] as { id: string };

    const cloud = await connect(cli.cloudDir());
    const restored = await cloud.call("aws.restoreSnapshot", { snapshot, kind: "instance" });
    const secret = (await cloud.call("kubernetes.get", {
      ...{ group: "", kind: "Secret", namespace: "default", name: "notes-app" },
    }))!;
    const { port, password } = new URL(restored.appUrl);
    const data = { ...secret["data"], port: base64(port), password: base64(decodeURIComponent(password)) };
    await cloud.call("kubernetes.apply", { object: { ...secret, data } });

    const before = pods(cli).length;
    const reference = { group: "apps", kind: "Deployment", namespace: "default", name: "notes" };
    await cloud.call("kubernetes.scale", { reference, replicas: before + 1, manager: "test" });
    await until(
      () => pods(cli).some((pod) => pod["status"]?.initContainerStatuses?.[0]?.state.running),
      "the new pod waits",
    );
    expect(pods(cli).filter(isReady)).toHaveLength(before);
    expect((await getJson(url, "/health")).status).toBe(200);
    expect((await migrate(restored.adminUrl, cli.migrations)).exit).toBe(0);
    await until(() => pods(cli).filter(isReady).length === before + 1, "the new pod serves", 60_000);
  });

  test("files that a CSI driver mounts, for each role its own", async () => {
    cli.set("database.secret", "");
    cli.set("database.file", JSON.stringify({ secretProviderClass: "notes-app" }));
    cli.set("database.migration", JSON.stringify({ file: { secretProviderClass: "notes-migration" } }));
    cli.set("app.image", "notes:1.1.0");
    const ran = await cli.run("up", "--json");
    expect(ran.status, ran.stderr + ran.stdout).toBe(0);
    expect((await getJson(url, "/health")).body).toMatchObject({ version: "1.1.0" });
    const spec = pods(cli).find(({ spec: { volumes } }) => volumes.some(({ csi }: { csi: unknown }) => csi))!["spec"];
    expect(JSON.stringify(spec.containers[0].env)).toContain('"DATABASE_URL_FILE","value":"/run/database/url"');
  });

  test("no password is in what was printed, nor in the state", () => {
    const state = Object.values(readTexts(cli.stateDir)).join("\n");
    const passwords = [cli.connection().appUrl, cli.connection().adminUrl].map((each) => new URL(each).password);
    for (const password of passwords) {
      expect(cli.printed.join("\n")).not.toContain(password);
      expect(state).not.toContain(password);
    }
  });
});

const base64 = (text: string) => Buffer.from(text).toString("base64");

/** The texts of the engine's state; the cloud's own folder holds the Secrets. */
function readTexts(directory: string): Record<string, string> {
  return Object.fromEntries(
    Object.keys(tree(directory))
      .filter((path) => !path.includes("/cloud/") && path.endsWith(".json"))
      .map((path) => [path, readFileSync(path, "utf8")]),
  );
}
