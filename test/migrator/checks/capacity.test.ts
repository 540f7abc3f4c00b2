import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startServer, type TestServer } from "../../support/server";
import { historyOf, migrate, preflightCheck, query, until, writeMigration } from "../support";

// It waits for what a server does in its own time, on a busy machine long.
vi.setConfig({ testTimeout: 180_000 });

let server: TestServer;
beforeAll(async () => {
  server = await startServer({
    settings: {
      // The lowest that there is.
      autovacuum_freeze_max_age: "100000",
      autovacuum_naptime: "1s",
      autovacuum_vacuum_cost_delay: "0",
    },
  });
});
afterAll(() => server.stop());

async function filled(): Promise<{ url: string; directory: string }> {
  const url = await server.createDatabase();
  const directory = historyOf({
    "1_a":
      "CREATE TABLE a (id int, v text); INSERT INTO a SELECT i, repeat('x', 500) FROM generate_series(1, 20000) i;",
  });
  expect((await migrate(url, directory)).exit).toBe(0);
  return { url, directory };
}

describe("disk head-room", () => {
  test.each([
    ["a rewrite", "ALTER TABLE a ALTER COLUMN id TYPE bigint;"],
    ["an index", "CREATE INDEX a_id ON a (id);"],
  ])("against %s is a finding where it doesn't suffice, and says how much is needed", async (_name, sql) => {
    const { url, directory } = await filled();
    writeMigration(directory, "2_b", sql);
    const found = await preflightCheck(url, directory, "disk", "--disk-free", "1MiB");
    expect(found).toMatchObject({ exit: 0, outcome: "warn" });
    expect(found.text).toMatch(/need about [\d.]+ MiB of disk .* 1 MiB are free/);
    expect(found.text).toContain('"public\\".\\"a\\": '.replace('"', '\\"'));
    expect(await preflightCheck(url, directory, "disk", "--disk-free", "1MiB", "--check", "disk=fail")).toMatchObject({
      exit: 8,
    });
    expect(await preflightCheck(url, directory, "disk", "--disk-free", "10GiB")).toMatchObject({
      exit: 0,
      outcome: "ok",
    });
  });

  test("is no matter for what only changes the catalog", async () => {
    const { url, directory } = await filled();
    writeMigration(directory, "2_b", "ALTER TABLE a ADD COLUMN w text;");
    expect(await preflightCheck(url, directory, "disk", "--disk-free", "1KiB")).toMatchObject({ outcome: "ok" });
  });
});

test("a vacuum against wrap-around on a table that the plan touches is a finding, and on another none", async () => {
  const { url, directory } = await filled();
  writeMigration(directory, "2_b", "ALTER TABLE a ADD COLUMN w text;");
  expect(await preflightCheck(url, directory, "vacuum")).toMatchObject({ outcome: "ok" });
  // Of this table it takes minutes; and no ordinary one, which would be as slow, comes before it.
  await query(
    url,
    "ALTER TABLE a SET (autovacuum_enabled = false, autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)",
  );
  // Each block that catches errors has a number of its own: 105,000 transactions in seconds.
  await query(
    url,
    "CREATE TABLE burn (n int); DO $$ BEGIN FOR i IN 1..105000 LOOP BEGIN INSERT INTO burn VALUES (i); EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $$",
  );
  const running =
    "SELECT FROM pg_stat_progress_vacuum p JOIN pg_stat_activity s USING (pid) WHERE p.relid = 'a'::regclass AND s.query LIKE '%wraparound%'";
  await until(async () => (await query(url, running)).length > 0, "the vacuum is at work", 100_000);
  const found = await preflightCheck(url, directory, "vacuum", "--check", "drift=off");
  expect(found).toMatchObject({ exit: 0, outcome: "warn" });
  expect(found.text).toMatch(/ {2}public\.a, pid \d+/);
  expect(
    await preflightCheck(url, directory, "vacuum", "--check", "drift=off", "--check", "vacuum=fail"),
  ).toMatchObject({
    exit: 6,
  });
  writeMigration(directory, "2_b", "ALTER TABLE burn ADD COLUMN w text;");
  expect((await preflightCheck(url, directory, "vacuum", "--check", "drift=off")).text).not.toContain("public.a, pid");
});
