import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { binariesOf } from "../../embedded/majors";
import { listInstances } from "../../local/cloud/aws/records";
import { connect } from "../../local/cloud/client";
import { listObjects } from "../../local/cloud/kubernetes/index";
import { clientMajor, KEYS } from "../backup/pod";
import { Cli } from "../local/cli";
import { query } from "../restore/world";
import { dumpDatabase } from "../support/dump";

const MAJOR = clientMajor();

/** The app's own check, which finds the pending migration applied in the database that it is connected to. */
const CHECK = `const { Client } = require("pg");
const client = new Client({ connectionString: process.env.DATABASE_URL });
client.connect()
  .then(() => client.query("SELECT mark, current_database() AS name FROM notes"))
  .then(({ rows }) => console.log(rows.length + " notes are marked"))
  .then(() => client.end())
  .catch((error) => { console.error(error.message); process.exitCode = 1; });`;

/** Everything that only a rehearsal makes. */
async function left(cli: Cli): Promise<string[]> {
  const objects = ["Job", "Secret", "ConfigMap"].flatMap((kind) =>
    listObjects(cli.cloudDir(), { kind, namespace: "default" }).map(({ metadata }) => metadata.name),
  );
  const databases = (await listInstances(cli.cloudDir())).map(({ identifier }) => identifier);
  return [...objects, ...databases].filter((each) => each.includes("rehearsal")).sort();
}

async function rehearsed(cli: Cli, ...words: string[]) {
  const url = cli.connection().adminUrl;
  const before = await dumpDatabase(url);
  const ran = await cli.run("ops", "rehearse", "--json", ...words);
  expect(ran.status, ran.stdout + ran.stderr).toBe(0);
  expect(await dumpDatabase(url)).toBe(before);
  return { ...ran, result: ran.events.at(-1) };
}

function withMark(cli: Cli): void {
  cli.addMigration("20990101000000_mark", "ALTER TABLE notes ADD COLUMN mark text;");
  cli.set("rehearsal.command", JSON.stringify(["node", "-e", CHECK]));
}

describe.sequential("a rehearsal of a database of RDS", { timeout: 300_000 }, () => {
  const cli = new Cli(2);
  afterAll(() => cli.end(), 60_000);

  test("restores the snapshot that is asked for, and runs the app's own check on it", async () => {
    expect((await cli.run("up")).status).toBe(0);
    await query(cli.connection().adminUrl, "INSERT INTO notes (title, body) VALUES ('after the snapshot', '')");
    withMark(cli);
    const { snapshot } = (await cli.outputs()) as { snapshot: { id: string } };
    const { result, stderr } = await rehearsed(cli, "--to", snapshot.id);
    expect(result).toMatchObject({ result: "passed", of: expect.stringContaining(`snapshot ${snapshot.id}`) });
    expect(stderr).toContain("1 notes are marked");
    expect(await left(cli)).toEqual(["notes-rehearsal"]);
  });

  test("restores the newest backup without being asked for anything", async () => {
    // The local database keeps no automated backups, so the snapshot of the live release is the newest there is.
    const { result, stderr } = await rehearsed(cli);
    expect(result).toMatchObject({ result: "passed", of: expect.stringMatching(/^snapshot /) });
    expect(stderr).toContain("Note: RDS keeps no automated backups of instance notes-db");
  });

  test("leaves the copy for people with rehearsal.keep; prune leaves it alone, and the next rehearsal removes it", async () => {
    cli.set("rehearsal.keep", "1h");
    const { stderr } = await rehearsed(cli);
    expect(stderr).toMatch(/The copy notes-db-restored-rehearsal and Secret notes-rehearsal stay until /);
    const pruned = await cli.run("ops", "prune");
    expect(pruned.status, pruned.stdout + pruned.stderr).toBe(0);
    expect(pruned.stdout).toContain("Copies of rehearsals: 0 copies removed, 1 stays.");
    expect(await left(cli)).toContain("notes-db-restored-rehearsal");
    const switched = await cli.run("restore", "switch", "notes-db-restored-rehearsal", "--plan");
    expect(switched.status).toBe(2);
    expect(switched.stderr).toContain("is the copy of a rehearsal");
    cli.unset("rehearsal.keep");
    await rehearsed(cli);
    expect(await left(cli)).toEqual(["notes-rehearsal"]);
  });

  test("fails if the app's own check does, and says by which status", async () => {
    cli.set("rehearsal.command", JSON.stringify(["node", "-e", "process.exit(3)"]));
    const ran = await cli.run("ops", "rehearse");
    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain("Production is untouched. On the copy: rehearsal.command ended with 3");
    expect(await left(cli)).toEqual(["notes-rehearsal"]);
  });
});

describe.sequential("a rehearsal on a branch of Neon", { timeout: 300_000 }, () => {
  const cli = new Cli(2);
  beforeAll(() => {
    cli.set("backup.mode", "branch");
    cli.set("backup.restore", "");
    cli.set("backup.branch", "{project: local-project-1, secret: {name: notes-neon}}");
  });
  afterAll(() => cli.end(), 60_000);

  test("makes a branch of the present, and removes it", async () => {
    expect((await cli.run("up")).status).toBe(0);
    await query(cli.connection().adminUrl, "INSERT INTO notes (title, body) VALUES ('now', '')");
    withMark(cli);
    const { result, stderr } = await rehearsed(cli);
    expect(result).toMatchObject({ result: "passed", copy: "notes-restored-rehearsal" });
    expect(stderr).toContain("2 notes are marked");
    expect(await left(cli)).toEqual(["notes-rehearsal"]);
  });
});

describe
  .skipIf(MAJOR === undefined)
  .sequential(`a rehearsal of a dump, by pg_restore ${MAJOR ?? "(skipped)"}`, { timeout: 300_000 }, () => {
    const cli = new Cli(2);
    const before = process.env["LOCAL_POSTGRES"];
    let server: string;
    beforeAll(async () => {
      process.env["LOCAL_POSTGRES"] = (await binariesOf(MAJOR!)).directory;
      cli.set("backup.mode", "dump");
      cli.set("backup.restore", "");
      cli.set("backup.image", `postgres:${MAJOR}-alpine`);
      cli.set(
        "backup.dump",
        `{to: s3://notes-backups/local, recipients: [${KEYS[0].recipient}], secret: {name: notes-store}}`,
      );
      cli.set("rehearsal.into", "{secret: other-server}");
    });
    afterAll(async () => {
      if (before === undefined) delete process.env["LOCAL_POSTGRES"];
      else process.env["LOCAL_POSTGRES"] = before;
      await cli.end();
    }, 60_000);

    test("restores the last dump on another server, and drops it there", async () => {
      const ran = await cli.run("up");
      expect(ran.status, ran.stdout + ran.stderr).toBe(0);
      const cloud = await connect(cli.cloudDir());
      server = (await cloud.call("aws.ensureInstance", { identifier: "other", kind: "instance", database: "postgres" }))
        .adminUrl;
      const metadata = { name: "other-server", namespace: "default" };
      const data = { url: Buffer.from(server).toString("base64") };
      await cloud.call("kubernetes.apply", { object: { apiVersion: "v1", kind: "Secret", metadata, data } });
      withMark(cli);
      const identity = join(cli.home, "notes-backup.key");
      writeFileSync(identity, `${KEYS[0].identity}\n`);
      const { result, stderr } = await rehearsed(cli, "--identity", identity);
      expect(result).toMatchObject({ result: "passed", of: expect.stringMatching(/^dump /) });
      expect(stderr).toContain("1 notes are marked");
      expect(await left(cli)).toEqual(["notes-rehearsal"]);
      const names = await query(server, "SELECT datname FROM pg_database WHERE datname LIKE '%rehearsal%'");
      expect(names).toEqual([]);
    });
  });
