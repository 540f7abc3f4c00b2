import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Connection } from "../../local/cloud/aws/instance";
import { removeDeleted } from "../../local/cloud/aws/placement";
import { connect, stopCloud } from "../../local/cloud/client";
import { toolsOf } from "../../local/cloud/command/tools";
import { listObjects } from "../../local/cloud/kubernetes/index";
import { checksumOf } from "../../migrations/history/history";
import { projectFolder, removeFolders } from "../by-hand/project";
import { migrate, writeMigration } from "../migrator/support";

const START = resolve(__dirname, "../../bin/start.cjs");

const home = mkdtempSync(join(tmpdir(), "ops cloud "));
const cloudDir = join(home, "cloud");
let database: Connection;
let project: string;
beforeAll(async () => {
  const cloud = await connect(cloudDir);
  database = await cloud.call("aws.ensureInstance", { identifier: "notes-db", kind: "instance", database: "notes" });
  const object = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "notes-database", namespace: "shop" },
    data: { "direct-url": Buffer.from(database.adminUrl).toString("base64") },
  };
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
  await cloud.call("kubernetes.apply", { object: namespace });
  await cloud.call("kubernetes.apply", { object });
  project = projectFolder({ prod: { namespace: "shop", review: { refuse: ["destructive"] } } });
  await query("CREATE TABLE people (id int PRIMARY KEY, fax text)");
}, 120_000);
afterAll(async () => {
  await stopCloud(cloudDir);
  await removeDeleted(cloudDir);
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  removeFolders();
});

async function query(sql: string): Promise<any[]> {
  const client = new Client({ connectionString: database.adminUrl });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

function start(...args: string[]) {
  const child = spawn(process.execPath, [START, "ops", ...args, "--stack", "prod"], {
    cwd: project,
    env: { ...process.env, ...toolsOf(cloudDir) },
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
  const ended = new Promise<number | null>((done) => child.once("close", done));
  return { child, ended, said: () => said };
}

function sqlFile(name: string, sql: string): string {
  writeFileSync(join(project, name), sql);
  return name;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((again) => setTimeout(again, 50));
}

const left = () =>
  ["Job", "ConfigMap", "Pod"]
    .flatMap((kind) => listObjects(cloudDir, { kind, namespace: "shop" }))
    .map(({ metadata }) => metadata.name);

describe.sequential("npm run ops on the local cluster", () => {
  test("runs a verb with the stack's Secret, and leaves nothing behind", async () => {
    const run = start("status");
    expect(await run.ended, run.said()).toBe(10);
    expect(run.said()).toContain("1_init: pending");
    await until(() => left().length === 0);
  }, 240_000);

  test("runs a file past the gate of the stack, with the acknowledgement that its message shows", async () => {
    const file = sqlFile("fax.sql", "ALTER TABLE people DROP COLUMN fax;");
    const refused = start("sql", file);
    expect(await refused.ended, refused.said()).toBe(4);
    const acknowledgement = /--acknowledge '(\{.*?\})'/.exec(refused.said())![1]!.replace("…", "no one sends faxes");
    const passed = start("sql", file, "--acknowledge", acknowledgement);
    expect(await passed.ended, passed.said()).toBe(0);
    const [entry] = await query("SELECT migration, data FROM _release.audit WHERE event = 'sql.applied'");
    expect(entry).toMatchObject({
      migration: "fax.sql",
      data: { acknowledged: [expect.stringMatching(/no one sends faxes/)] },
    });
    await until(() => left().length === 0);
  }, 240_000);

  test("plans how a migration is taken back, with the rows that would be lost and what the stack refuses of it", async () => {
    const migrations = join(project, "migrations");
    writeMigration(migrations, "2_hats", "CREATE TABLE hats (id int);");
    await migrate(database.adminUrl, migrations, "baseline", "--through", "1_init", "--force");
    expect((await migrate(database.adminUrl, migrations)).exit).toBe(0);
    await query("INSERT INTO hats VALUES (1), (2)");
    const run = start("revert", "2_hats", "--plan");
    expect(await run.ended, run.said()).toBe(0);
    expect(run.said()).toContain("It only reads the database.");
    expect(run.said()).toMatch(/DROP TABLE hats;[\s\S]*Lost by it:\n {2}table hats: 2 rows\n/);
    expect(run.said()).toMatch(/REFUSED: drop-table hats \(destructive\)/);
    expect(run.said()).toContain("\nNext: npm run migrator -- revert 2_hats --write --migrations migrations (in");
    expect(await query("SELECT FROM hats")).toHaveLength(2);
    await until(() => left().length === 0);
  }, 240_000);

  test("runs a hotfix, and writes its folder as it is recorded", async () => {
    const sql = "CREATE INDEX CONCURRENTLY hats_id ON hats (id);\nCOMMENT ON INDEX hats_id IS 'by night';\n";
    const run = start("sql", sqlFile("hats.sql", sql), "--hotfix", "index_hats");
    expect(await run.ended, run.said()).toBe(0);
    const written = /^Written: (migrations\/\d+_index_hats\/migration\.sql)\. /m.exec(run.said());
    expect(readFileSync(join(project, written![1]!), "utf8")).toBe(`-- release: hotfix\n${sql}`);
    const rows = await query(
      "SELECT checksum, finished_at FROM _prisma_migrations WHERE migration_name LIKE '%\\_index\\_hats'",
    );
    expect(rows).toContainEqual({ checksum: checksumOf(`-- release: hotfix\n${sql}`), finished_at: expect.any(Date) });
    await until(() => left().length === 0);
  }, 240_000);

  test("rolls back at Ctrl-C, and leaves nothing behind", async () => {
    const run = start("sql", sqlFile("slow.sql", "INSERT INTO people VALUES (1);\nSELECT pg_sleep(300);\n"));
    const sleeping =
      "SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(300)%' AND pid <> pg_backend_pid()";
    await until(async () => (await query(sleeping)).length > 0);
    // The log is followed by now, so that the migrator's last lines are seen.
    await until(() => run.said().includes("runs in one transaction, with lock_timeout"));
    run.child.kill("SIGINT");
    expect(await run.ended, run.said()).toBe(130);
    expect(run.said()).toContain("FAILED (stopped)");
    expect(await query("SELECT FROM people")).toEqual([]);
    expect(await query(sleeping)).toEqual([]);
    await until(() => left().length === 0);
  }, 240_000);
});
