import { promises as fs } from "node:fs";
import net from "node:net";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { killServer, stopServer } from "../../../../embedded/postgres";
import { listProcesses } from "../../../../embedded/processes";
import type { Connection } from "../../../../local/cloud/aws/instance";
import { listInstances } from "../../../../local/cloud/aws/records";
import { stopAws } from "../../../../local/cloud/aws/service";
import { dumpDatabase } from "../../../support/postgres";
import { fill, openCloud, query, startCloud, type TestCloud, waitFor } from "./cloud";

let cloud: TestCloud;
let notes: Connection;

beforeAll(async () => {
  cloud = await startCloud();
  notes = await cloud.aws.ensureInstance(cloud.notes);
  await fill(notes);
});
afterAll(() => cloud?.remove());

async function instance(of = cloud, identifier = "notes-db") {
  return (await listInstances(of.directory)).find((entry) => entry.identifier === identifier)!;
}

async function serversOf(of: TestCloud): Promise<number> {
  const data = (await listInstances(of.directory)).map(({ dataDirectory }) => dataDirectory);
  return (await listProcesses()).filter(({ command }) => data.some((d) => command.includes(` -D ${d} `))).length;
}

test("an instance that is there is found, not made again", async () => {
  expect(await cloud.aws.ensureInstance(cloud.notes)).toEqual(notes);
  expect(await instance()).toMatchObject({ status: "available", port: notes.port, database: "notes" });
});

test("each role may do its part and no more; none is a superuser", async () => {
  const who = (url: string) =>
    query(url, "SELECT current_user AS name, rolsuper FROM pg_roles WHERE rolname = current_user");
  expect(await who(notes.appUrl)).toEqual([{ name: "app", rolsuper: false }]);
  expect(await who(notes.adminUrl)).toEqual([{ name: "migrator", rolsuper: false }]);
  expect(await who(notes.masterUrl)).toEqual([{ name: "postgres", rolsuper: false }]);

  await query(
    notes.adminUrl,
    "CREATE TABLE later (id int); CREATE SCHEMA extra; CREATE TABLE extra.t (id serial); CREATE EXTENSION pg_trgm",
  );
  await query(notes.appUrl, "INSERT INTO later VALUES (1); INSERT INTO extra.t DEFAULT VALUES; DELETE FROM later");
  await expect(query(notes.appUrl, "ALTER TABLE later ADD x int")).rejects.toThrow("must be owner");
  await expect(query(notes.appUrl, "CREATE TABLE mine (id int)")).rejects.toThrow("permission denied");
  await expect(query(notes.adminUrl, "CREATE ROLE other")).rejects.toThrow("permission denied");
  await query(notes.masterUrl, "CREATE ROLE reader; GRANT app TO reader; DROP ROLE reader");
  await expect(query(notes.masterUrl, "COPY (SELECT 1) TO PROGRAM 'true'")).rejects.toThrow("permission denied");
  const statistics = new URL(notes.masterUrl);
  statistics.pathname = "/postgres";
  expect(await query(statistics.href, "SELECT count(*) > 0 AS some FROM pg_stat_statements")).toEqual([{ some: true }]);
});

test("a wrong password is refused", async () => {
  const wrong = new URL(notes.appUrl);
  wrong.password = "guess";
  await expect(query(wrong.href, "SELECT 1")).rejects.toThrow("password authentication failed");
});

test("passwords are in files that only their owner can read, and in no process argument", async () => {
  const password = new URL(notes.adminUrl).password;
  for (const entry of await fs.readdir(cloud.directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    if ((await fs.readFile(file, "latin1")).includes(password)) expect((await fs.stat(file)).mode & 0o077).toBe(0);
  }
  expect((await listProcesses()).filter(({ command }) => command.includes(password))).toEqual([]);
  // The server stores statements that make roles as they are sent: with a verifier, not with the password.
  const statistics = new URL(notes.masterUrl);
  statistics.pathname = "/postgres";
  const stored = await query(statistics.href, "SELECT query FROM pg_stat_statements WHERE query ~ 'ROLE .* PASSWORD'");
  expect(stored.length).toBeGreaterThan(0);
  for (const { query: text } of stored) expect(text).toMatch(/PASSWORD ('SCRAM-SHA-256\$4096:|\$1)/);
});

test("what was committed survives kill -9 of the server, on the same port", async () => {
  const before = await dumpDatabase(notes.adminUrl);
  await killServer((await instance()).dataDirectory);
  expect(await instance()).toMatchObject({ status: "stopped" });
  expect(await cloud.aws.ensureInstance(cloud.notes)).toEqual(notes);
  expect(await dumpDatabase(notes.adminUrl)).toBe(before);
});

test("workers that outlive a killed server do not block its next start", async () => {
  const { dataDirectory } = await instance();
  // A query that never looks up from its work, so that it does not notice that its server is gone.
  const busy = query(notes.masterUrl, "SELECT count(*) FROM generate_series(1, 1e12::bigint)").catch(() => undefined);
  await waitFor(async () => {
    const active =
      "SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%1e12%' AND pid <> pg_backend_pid()";
    return (await query(notes.masterUrl, active)).length > 0;
  });
  const server = (await listProcesses()).find(({ command }) => command.includes(` -D ${dataDirectory} `))!;
  process.kill(server.pid, "SIGKILL");
  await waitFor(async () => (await instance()).status === "stopped");
  expect(await cloud.aws.ensureInstance(cloud.notes)).toEqual(notes);
  await busy;
});

test("a port that somebody else took is replaced by a free one, and that one is kept", async () => {
  await stopServer((await instance()).dataDirectory);
  const stranger = net.createServer().listen(notes.port, "127.0.0.1");
  try {
    const moved = await cloud.aws.ensureInstance(cloud.notes);
    expect(moved.port).not.toBe(notes.port);
    expect(await query(moved.appUrl, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    expect(await instance()).toMatchObject({ port: moved.port });
    await stopServer((await instance()).dataDirectory);
    notes = await cloud.aws.ensureInstance(cloud.notes);
    expect(notes.port).toBe(moved.port);
  } finally {
    stranger.close();
  }
});

test("a database that refuses connections does so until the fault is taken away", async () => {
  await cloud.setFaults("database-refuses");
  await cloud.aws.applyFaults();
  await expect(query(notes.appUrl, "SELECT 1")).rejects.toThrow("ECONNREFUSED");
  expect(await cloud.aws.ensureInstance(cloud.notes)).toEqual(notes);
  await expect(query(notes.appUrl, "SELECT 1")).rejects.toThrow("ECONNREFUSED");
  expect(await cloud.snapshot("notes-db", "while-it-refuses")).toMatchObject({ status: "available" });
  await cloud.setFaults();
  await cloud.aws.applyFaults();
  expect(await query(notes.appUrl, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
});

test("an Aurora cluster is a server too, with a schema of its own where the app has one", async () => {
  const cluster = await cloud.aws.ensureInstance({
    identifier: "Notes-Cluster",
    kind: "cluster",
    database: "notes",
    schema: "app data",
  });
  expect(cluster.identifier).toBe("notes-cluster");
  await query(cluster.adminUrl, "CREATE TABLE note (id int)");
  expect(await query(cluster.appUrl, "SELECT schemaname FROM pg_tables WHERE tablename = 'note'")).toEqual([
    { schemaname: "app data" },
  ]);
  await cloud.aws.deleteInstance({ kind: "cluster", identifier: "notes-cluster" });
  await expect(query(cluster.adminUrl, "SELECT 1")).rejects.toThrow("ECONNREFUSED");
  expect(await instance(cloud, "notes-cluster")).toBeUndefined();
});

test("identifiers and database names that RDS refuses are refused", async () => {
  for (const identifier of ["", "1notes", "notes--db", "notes-", "notes_db", "../notes", "n".repeat(64)]) {
    await expect(cloud.aws.ensureInstance({ ...cloud.notes, identifier })).rejects.toThrow("is not a valid identifier");
  }
  await expect(cloud.aws.ensureInstance({ ...cloud.notes, identifier: "other", database: "a b" })).rejects.toThrow(
    "DBName",
  );
  await expect(cloud.aws.ensureInstance({ ...cloud.notes, database: "other" })).rejects.toThrow(
    "has the database notes",
  );
});

test("two clouds with the same names share nothing, and stopping one stops nothing of the other", async () => {
  const other = await startCloud();
  try {
    const theirs = await other.aws.ensureInstance(other.notes);
    expect(theirs.port).not.toBe(notes.port);
    expect(await query(theirs.adminUrl, "SELECT count(*)::int AS n FROM pg_tables WHERE tablename = 'note'")).toEqual([
      { n: 0 },
    ]);
    await stopAws(other.directory);
    expect(await serversOf(other)).toBe(0);
    expect(await query(notes.appUrl, "SELECT count(*)::int AS n FROM note")).toEqual([{ n: 100 }]);
    expect(await other.aws.ensureInstance(other.notes)).toEqual(theirs);
    // Somebody deletes the checkout without `down`.
    await fs.rm(other.directory, { recursive: true });
    await stopAws(other.directory);
    await expect(query(theirs.appUrl, "SELECT 1")).rejects.toThrow("ECONNREFUSED");
  } finally {
    await other.remove();
  }
});

// Only root's servers keep their files outside the state directory.
test.skipIf(process.getuid?.() !== 0)(
  "a state directory that is moved keeps its database, whoever takes its old place",
  async () => {
    const first = await startCloud();
    const moved = `${first.directory}-moved`;
    const copied = `${first.directory}-copied`;
    const theirs = await first.aws.ensureInstance(first.notes);
    await query(theirs.adminUrl, "CREATE TABLE kept (id int); INSERT INTO kept VALUES (1)");
    await first.stop();
    await fs.rename(first.directory, moved);
    await fs.cp(moved, copied, { recursive: true });

    // Another one is made where the first one was, and deleted again.
    await fs.mkdir(first.directory);
    const stranger = openCloud(first.directory);
    const empty = await stranger.aws.ensureInstance(stranger.notes);
    expect(await query(empty.adminUrl, "SELECT to_regclass('kept') AS kept")).toEqual([{ kept: null }]);
    await stranger.aws.deleteInstance(stranger.notes);
    await stranger.stop();
    await fs.rm(first.directory, { recursive: true });
    await stopAws(first.directory);

    const again = openCloud(moved);
    try {
      const found = await again.aws.ensureInstance(again.notes);
      expect(await query(found.adminUrl, "SELECT id FROM kept")).toEqual([{ id: 1 }]);
      // A copy names the same files; it may neither use nor remove them.
      const copy = openCloud(copied);
      await expect(copy.aws.ensureInstance(copy.notes)).rejects.toThrow(`holds the database of ${moved}`);
      await copy.aws.deleteInstance(copy.notes);
      await copy.remove();
      expect(await query(found.adminUrl, "SELECT id FROM kept")).toEqual([{ id: 1 }]);
    } finally {
      await again.remove();
    }
  },
);
