import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startServer, type TestServer } from "../../support/server";
import { historyOf, migrate, preflightCheck, query, startMigrator, until, writeMigration } from "../support";

// It waits for what a server does in its own time, on a busy machine long.
vi.setConfig({ testTimeout: 180_000 });

const ACCESS = ["host all all 127.0.0.1/32 scram-sha-256", "host replication all 127.0.0.1/32 scram-sha-256"];
let primary: TestServer;
let standby: TestServer;

beforeAll(async () => {
  primary = await startServer({ access: ACCESS });
  // A cold copy of the primary that follows it, as a replica of RDS does.
  await primary.shutDown();
  standby = await startServer({
    access: ACCESS,
    copyOf: primary.dataDirectory,
    settings: {
      primary_conninfo: `host=127.0.0.1 port=${primary.port} user=postgres password=test-password`,
      hot_standby: "on",
      wal_retrieve_retry_interval: "200ms",
      wal_receiver_status_interval: "1s",
    },
    files: { "standby.signal": "" },
  });
  await primary.restart();
  await until(async () => (await query(primary.url, FOLLOWING)).length > 0, "the replica follows", 60_000);
}, 180_000);
afterAll(async () => {
  await standby?.stop();
  await primary?.stop();
});

const FOLLOWING = "SELECT FROM pg_stat_replication WHERE state = 'streaming'";

/** The replica receives, but applies nothing, until it is told to go on. */
async function paused(work: () => Promise<void>): Promise<void> {
  // Something that it has applied: only then the primary can tell how far behind it is.
  await query(primary.url, "CREATE TABLE IF NOT EXISTS noise (id int)");
  await until(async () => (await query(primary.url, CAUGHT_UP)).length > 0, "the replica has caught up", 60_000);
  await query(standby.url, "SELECT pg_wal_replay_pause()");
  try {
    await work();
  } finally {
    await query(standby.url, "SELECT pg_wal_replay_resume()");
  }
}

const CAUGHT_UP = "SELECT FROM pg_stat_replication WHERE replay_lsn >= pg_current_wal_lsn()";

describe("a replica that lags behind", () => {
  test("is a finding of preflight, and none when it has caught up", async () => {
    const url = await primary.createDatabase();
    const directory = historyOf({ "1_a": "CREATE TABLE a (id int);" });
    expect(await preflightCheck(url, directory, "replication")).toMatchObject({ exit: 0, outcome: "ok" });
    await paused(async () => {
      const limit = ["--max-replication-lag", "500ms"];
      let seen: Awaited<ReturnType<typeof preflightCheck>> | undefined;
      await until(
        async () => {
          await query(url, "SELECT pg_logical_emit_message(true, 'noise', 'x')");
          seen = await preflightCheck(url, directory, "replication", ...limit);
          return seen.outcome === "warn";
        },
        "the lag is seen",
        60_000,
      );
      expect(seen!.text).toMatch(/A replica is .* behind/);
      expect(
        await preflightCheck(url, directory, "replication", ...limit, "--check", "replication=fail"),
      ).toMatchObject({
        exit: 8,
        output: expect.stringContaining("FAILED (preflight)"),
      });
    });
  });

  test("is waited for between the ranges of a batched migration", async () => {
    const url = await primary.createDatabase();
    const directory = historyOf({
      "1_a": "CREATE TABLE t (id int PRIMARY KEY, done int DEFAULT 0); INSERT INTO t SELECT generate_series(1, 2000);",
    });
    expect((await migrate(url, directory)).exit).toBe(0);
    writeMigration(directory, "2_b", "-- release: batch size 100 pause 50ms\nUPDATE t SET done = done + 1;");
    let running: ReturnType<typeof startMigrator> | undefined;
    await paused(async () => {
      running = startMigrator(["deploy", "--migrations", directory, "--max-replication-lag", "300ms"], {
        DATABASE_URL: url,
      });
      await until(() => /a replica is .* behind; waiting for it/.test(running!.output()), "it waits", 60_000);
      const done = async () => (await query(url, "SELECT FROM t WHERE done = 1")).length;
      const before = await done();
      await query(url, "SELECT pg_sleep(1.5)");
      expect(await done()).toBe(before);
      expect(before).toBeLessThan(2000);
    });
    expect(await running!.ended).toMatchObject({ exit: 0 });
    expect(await query(url, "SELECT DISTINCT done FROM t")).toEqual([{ done: 1 }]);
  });
});

test("a slot that nobody reads is a finding when it holds back more WAL than allowed", async () => {
  const url = await primary.createDatabase();
  const directory = historyOf({ "1_a": "CREATE TABLE a (id int);" });
  await query(url, "SELECT pg_create_physical_replication_slot('left_over', true)");
  try {
    await query(url, "SELECT pg_logical_emit_message(false, 'noise', repeat('x', 1000000)) FROM generate_series(1, 3)");
    expect(await preflightCheck(url, directory, "replication")).toMatchObject({ outcome: "ok" });
    const found = await preflightCheck(url, directory, "replication", "--max-slot-wal", "2MiB");
    expect(found).toMatchObject({ exit: 0, outcome: "warn" });
    expect(found.text).toMatch(/left_over: \d/);
    expect(found.text).toContain("pg_drop_replication_slot");
  } finally {
    await query(url, "SELECT pg_drop_replication_slot('left_over')");
  }
});

test("a database that is set to read-only transactions is none either, also where records are kept already", async () => {
  const url = await primary.createDatabase();
  const directory = historyOf({ "1_a": "CREATE TABLE a (id int);" });
  expect((await migrate(url, directory)).exit).toBe(0);
  writeMigration(directory, "2_b", "ALTER TABLE a ADD COLUMN b int;");
  await query(primary.url, `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET default_transaction_read_only = on`);
  expect((await preflightCheck(url, directory, "server")).text).toContain("set to read-only transactions");
  expect(await migrate(url, directory)).toMatchObject({
    exit: 3,
    output: expect.stringContaining("FAILED (read-only)"),
  });
});

test("a replica itself is no place to deploy to", async () => {
  const url = await primary.createDatabase();
  await until(async () => (await query(primary.url, CAUGHT_UP)).length > 0, "the replica has the database", 60_000);
  const replica = url.replace(`:${primary.port}/`, `:${standby.port}/`);
  const directory = historyOf({ "1_a": "CREATE TABLE a (id int);" });
  const found = await preflightCheck(replica, directory, "server");
  expect(found).toMatchObject({ exit: 3, outcome: "fail" });
  expect(found.text).toContain("is a replica, which can't be written to");
  const { exit, output } = await migrate(replica, directory);
  expect({ exit, output }).toMatchObject({ exit: 3, output: expect.stringContaining("FAILED (read-only)") });
  expect(output).toMatch(/Database: nothing was changed[\s\S]*Next: give the connection to the primary/);
});
