import { spawn } from "node:child_process";
import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Connection } from "../../../../local/cloud/aws/instance";
import { listInstances, listSnapshots } from "../../../../local/cloud/aws/records";
import { createAwsService } from "../../../../local/cloud/aws/service";
import { dumpDatabase } from "../../../support/postgres";
import { fill, openCloud, query, startCloud, type TestCloud, waitFor } from "./cloud";

let cloud: TestCloud;
let notes: Connection;

beforeAll(async () => {
  cloud = await startCloud();
  notes = await cloud.aws.ensureInstance(cloud.notes);
  await fill(notes);
});
beforeEach(() => cloud.setFaults());
afterAll(() => cloud?.remove());

test("a restore of an idle database is the same, byte for byte, and stands beside it", async () => {
  const before = await dumpDatabase(notes.adminUrl);
  expect(await cloud.snapshot("notes-db", "idle")).toMatchObject({ status: "available", progress: 100 });
  await query(notes.adminUrl, "DELETE FROM tag; DROP TABLE tag; UPDATE note SET body = 'changed'");
  const after = await dumpDatabase(notes.adminUrl);
  const restored = await cloud.aws.restoreSnapshot({ snapshot: "idle" });
  expect(restored).toMatchObject({ identifier: "notes-db-restored-1", database: "notes" });
  expect(await dumpDatabase(restored.adminUrl)).toBe(before);
  expect(await dumpDatabase(notes.adminUrl)).toBe(after);
  expect(before).not.toBe(after);

  const second = await cloud.aws.restoreSnapshot({ snapshot: "idle", identifier: "elsewhere" });
  await query(second.adminUrl, "DELETE FROM tag");
  expect(await dumpDatabase(restored.adminUrl)).toBe(before);
  expect((await listInstances(cloud.directory)).map(({ identifier, status }) => [identifier, status])).toEqual([
    ["notes-db", "available"],
    ["notes-db-restored-1", "available"],
    ["elsewhere", "available"],
  ]);
  await expect(cloud.aws.restoreSnapshot({ snapshot: "idle", identifier: "elsewhere" })).rejects.toThrow(
    "already exists",
  );
  for (const identifier of ["notes-db-restored-1", "elsewhere"]) {
    await cloud.aws.deleteInstance({ kind: "instance", identifier });
  }
});

test("a snapshot under writes holds what was committed at one moment while it was taken", async () => {
  await query(
    notes.adminUrl,
    `CREATE TABLE account (id int PRIMARY KEY, balance int, filler text);
     INSERT INTO account SELECT n, 1000, repeat(md5(n::text), 20) FROM generate_series(1, 20000) n;
     CREATE TABLE transfer (n int PRIMARY KEY, at timestamptz DEFAULT clock_timestamp())`,
  );
  let committed = 0;
  let stop = false;
  const writer = (async () => {
    const client = new Client({ connectionString: notes.appUrl });
    await client.connect();
    for (let n = 1; !stop; n++) {
      const [from, to] = [1 + ((n * 7919) % 20000), 1 + ((n * 104729) % 20000)];
      await client.query(
        `BEGIN; UPDATE account SET balance = balance - 5 WHERE id = ${from}; UPDATE account SET balance = balance + 5 WHERE id = ${to};
         INSERT INTO transfer (n) VALUES (${n}); COMMIT`,
      );
      committed = n;
    }
    await client.end();
  })();
  await waitFor(async () => committed > 20);
  const atStart = committed;
  await cloud.aws.createSnapshot({ kind: "instance", source: "notes-db", identifier: "busy" });
  // The log that the copy needs must outlive checkpoints that would throw it away.
  await waitFor(async () => {
    await query(notes.masterUrl, "CHECKPOINT");
    return (
      (await listSnapshots(cloud.directory)).find(({ identifier }) => identifier === "busy")?.status === "available"
    );
  });
  const atEnd = committed;
  stop = true;
  await writer;

  const restored = await cloud.aws.restoreSnapshot({ snapshot: "busy" });
  const [row] = await query(
    restored.appUrl,
    "SELECT (SELECT sum(balance)::int FROM account) AS total, count(*)::int AS count, max(n) AS last FROM transfer",
  );
  expect(row!["total"]).toBe(20_000 * 1_000);
  expect(row!["count"]).toBe(row!["last"]);
  expect(row!["last"]).toBeGreaterThanOrEqual(atStart);
  expect(row!["last"]).toBeLessThanOrEqual(atEnd + 1);
  expect(atEnd).toBeGreaterThan(atStart);
  await cloud.aws.deleteInstance({ kind: "instance", identifier: restored.identifier });
});

test("snapshots are listed with what one chooses them by", async () => {
  const tags = { project: "release", release: "abc" };
  await cloud.aws.createSnapshot({ kind: "instance", source: "notes-db", identifier: "Tagged-1", tags });
  const find = async () => (await listSnapshots(cloud.directory)).find(({ identifier }) => identifier === "tagged-1")!;
  expect(await find()).toMatchObject({ status: "creating", source: "notes-db", tags, snapshotType: "manual", size: 0 });
  expect((await listInstances(cloud.directory))[0]).toMatchObject({ status: "backing-up" });
  await waitFor(async () => (await find()).status === "available");
  const done = await find();
  expect(done.size).toBeGreaterThan(1_000_000);
  expect(Date.parse(done.createTime)).toBeLessThanOrEqual(Date.now());
  await cloud.aws.modifySnapshot({ kind: "instance", identifier: "tagged-1", tags: { other: "1" } });
  expect((await find()).tags).toEqual({ other: "1" });
});

test("what RDS refuses is refused in its words", async () => {
  const create = (identifier: string, source = "notes-db") =>
    cloud.aws.createSnapshot({ kind: "instance", source, identifier });
  await cloud.snapshot("notes-db", "taken");
  await expect(create("Taken")).rejects.toMatchObject({
    name: "DBSnapshotAlreadyExists",
    message: "Cannot create the snapshot because a snapshot with the identifier taken already exists.",
  });
  await expect(create("other", "nowhere")).rejects.toMatchObject({
    name: "DBInstanceNotFound",
    message: "DBInstance nowhere not found.",
  });
  for (const name of ["", "1a", "a--b", "a-", "a_b", "a b", "../a", "a".repeat(256)]) {
    await expect(create(name)).rejects.toMatchObject({ name: "InvalidParameterValue" });
  }
  await expect(cloud.aws.deleteSnapshot({ kind: "instance", identifier: "nothing" })).rejects.toMatchObject({
    name: "DBSnapshotNotFound",
  });
  await expect(cloud.aws.restoreSnapshot({ snapshot: "nothing" })).rejects.toThrow("DBSnapshot not found: nothing");
  await cloud.setFaults("instance-unavailable");
  await expect(create("unavailable")).rejects.toMatchObject({
    name: "InvalidDBInstanceState",
    message: "Cannot create a snapshot because the database instance notes-db is not currently in the available state.",
  });
  expect((await listInstances(cloud.directory))[0]).toMatchObject({ status: "modifying" });
  await cloud.setFaults("storage-optimization");
  expect(await cloud.snapshot("notes-db", "optimizing")).toMatchObject({ status: "available" });
  await cloud.aws.deleteSnapshot({ kind: "instance", identifier: "taken" });
  expect((await listSnapshots(cloud.directory)).map(({ identifier }) => identifier)).not.toContain("taken");
});

test("a snapshot that fails is there, failed, and can't be restored", async () => {
  await cloud.setFaults("snapshot-fails");
  expect(await cloud.snapshot("notes-db", "failing")).toMatchObject({ status: "failed", size: 0 });
  await expect(cloud.aws.restoreSnapshot({ snapshot: "failing" })).rejects.toMatchObject({
    name: "InvalidDBSnapshotState",
  });
  await cloud.aws.deleteSnapshot({ kind: "instance", identifier: "failing" });
});

test("a snapshot that stays `creating` blocks the next one, and goes on when the fault is gone", async () => {
  await cloud.setFaults("snapshot-stays-creating");
  await cloud.aws.createSnapshot({ kind: "instance", source: "notes-db", identifier: "slow" });
  await expect(cloud.snapshot("notes-db", "next")).rejects.toMatchObject({ name: "InvalidDBInstanceState" });
  await expect(cloud.aws.deleteSnapshot({ kind: "instance", identifier: "slow" })).rejects.toThrow("creating");
  await cloud.setFaults();
  const slow = async () => (await listSnapshots(cloud.directory)).find(({ identifier }) => identifier === "slow");
  await waitFor(async () => (await slow())?.status === "available");
});

/** Runs a method in a process that is killed `delay` ms after it began; without a delay, when it is done. */
async function interrupted(directory: string, method: string, parameters: unknown, delay: number): Promise<void> {
  const script = path.join(__dirname, "interrupted.ts");
  const args = ["--import", "tsx", script, directory, method, JSON.stringify(parameters)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise<void>((resolve) => child.stdout.once("data", () => resolve()));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const kill = setTimeout(() => child.kill("SIGKILL"), delay);
  child.stdout.on("data", () => child.kill("SIGKILL"));
  await ended;
  clearTimeout(kill);
}

test("a cloud that is killed at any instant goes on with the next call", { timeout: 120_000 }, async () => {
  const directory = await fs.mkdtemp(path.join(await fs.realpath(os.tmpdir()), "aws killed "));
  const wanted = { identifier: "notes-db", kind: "instance" as const, database: "notes" };
  try {
    for (const delay of [20, 300, 600, 900]) await interrupted(directory, "ensureInstance", wanted, delay);
    const again = openCloud(directory);
    const first = await again.aws.ensureInstance(wanted);
    await fill(first);
    const before = await dumpDatabase(first.adminUrl);

    const statuses = new Set<string>();
    for (const [n, delay] of [5, 80, 150, 250, 5_000].entries()) {
      const identifier = `killed-${n}`;
      const request = { kind: "instance", source: "notes-db", identifier };
      await interrupted(directory, "createSnapshot", request, delay);
      const next = openCloud(directory);
      const snapshot = (await listSnapshots(directory)).find((entry) => entry.identifier === identifier);
      statuses.add(snapshot?.status ?? "none");
      expect(snapshot?.status).not.toBe("creating");
      // Neither the killed one nor its slot and backup mode stand in the way of the next.
      expect(await next.snapshot("notes-db", `after-${n}`)).toMatchObject({ status: "available" });
      if (snapshot?.status === "available") {
        const restored = await next.aws.restoreSnapshot({ snapshot: identifier });
        expect(await dumpDatabase(restored.adminUrl)).toBe(before);
      }
    }
    expect(statuses).toContain("failed");

    for (const delay of [60, 200]) {
      await interrupted(directory, "restoreSnapshot", { snapshot: "after-0" }, delay);
    }
    const last = openCloud(directory);
    const restored = await last.aws.restoreSnapshot({ snapshot: "after-0", identifier: "last" });
    expect(await dumpDatabase(restored.adminUrl)).toBe(before);
    expect((await last.aws.ensureInstance(wanted)).adminUrl).toBe(first.adminUrl);
    expect(await dumpDatabase(first.adminUrl)).toBe(before);

    const left = await fs.readdir(path.join(directory, "aws"), { recursive: true });
    expect(left.filter((name) => /(^|\/)\.|\.partial|\.tmp/.test(name))).toEqual([]);
    await last.remove();
    await expect(query(first.appUrl, "SELECT 1")).rejects.toThrow("ECONNREFUSED");
  } finally {
    await createAwsService(directory).stop();
    await fs.rm(directory, { recursive: true, force: true });
  }
});
