import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { asRole, dumpDatabase, startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, query, reportedChecks, writeMigration } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres({ settings: { max_prepared_transactions: "5" } });
});
afterAll(() => postgres.stop());

interface Outcome {
  exit: number | null;
  output: string;
  /** By check: the outcome and everything it said. */
  checks: Record<string, { outcome: string; text: string }>;
}

async function preflight(url: string, directory: string, ...args: string[]): Promise<Outcome> {
  const { exit, output } = await migrate(url, directory, "preflight", ...args);
  const checks = Object.fromEntries(
    reportedChecks(output).map((each) => [each.name, { outcome: each.outcome, text: JSON.stringify(each) }]),
  );
  return { exit, output, checks };
}

async function released(): Promise<{ url: string; directory: string }> {
  const url = await postgres.createDatabase();
  const directory = historyOf({
    "1_a": "CREATE TABLE a (id serial PRIMARY KEY, v text); INSERT INTO a (v) VALUES ('x');",
  });
  expect((await migrate(url, directory)).exit).toBe(0);
  return { url, directory };
}

test("a database that is ready passes, and nothing in it is changed", async () => {
  const { url, directory } = await released();
  writeMigration(directory, "2_b", "ALTER TABLE a ADD COLUMN w text;");
  const before = await dumpDatabase(url);
  const { exit, checks, output } = await preflight(url, directory, "--note", "tested=staging");
  expect(exit).toBe(0);
  expect(Object.values(checks).filter(({ outcome }) => outcome === "fail")).toEqual([]);
  expect(output).toContain("[x] Tested on another stage: staging");
  expect(output).toContain('[x] Scope of impact: "public"."a": ACCESS EXCLUSIVE');
  expect(await dumpDatabase(url)).toBe(before);
});

describe("drift is shown as what differs", () => {
  test("from what the last release recorded", async () => {
    const { url, directory } = await released();
    await query(
      url,
      "ALTER TABLE a ADD COLUMN hotfix int; ALTER TABLE a ALTER v SET NOT NULL; CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE extra (id int)",
    );
    const { exit, checks } = await preflight(url, directory);
    expect(exit).toBe(4);
    for (const line of [
      "+ column public.a.hotfix: integer",
      "~ column public.a.v: text  →  text NOT NULL",
      "+ type public.mood: ENUM ('sad')",
      "+ table public.extra",
    ])
      expect(checks["drift"]!.text).toContain(line);
    expect(checks["drift"]!.text).not.toContain("column public.extra.id");
    expect(checks["drift"]!.text).toContain("adopt --name NAME");
    expect((await preflight(url, directory, "--check", "drift=warn")).exit).toBe(0);
  });

  test("from the history on a scratch database, where nothing is recorded; that is dropped again", async () => {
    const { url, directory } = await released();
    await query(url, "DROP SCHEMA _release CASCADE");
    expect((await preflight(url, directory)).checks["drift"]).toMatchObject({
      outcome: "ok",
      text: expect.stringContaining("scratch database"),
    });
    await query(url, "CREATE INDEX hotfix ON a (v)");
    const { exit, checks } = await preflight(url, directory);
    expect(exit).toBe(4);
    expect(checks["drift"]!.text).toContain("+ index public.hotfix");
    expect(await query(url, "SELECT datname FROM pg_database WHERE datname LIKE 'release_scratch%'")).toEqual([]);
  });

  test("or said to be unknown, where the role may not make one", async () => {
    const { url, directory } = await released();
    await query(url, "DROP SCHEMA _release CASCADE; CREATE ROLE plain LOGIN PASSWORD 'plain-password'");
    await query(url, "GRANT ALL ON SCHEMA public TO plain; GRANT ALL ON ALL TABLES IN SCHEMA public TO plain");
    const plain = asRole(url, "plain", "plain-password");
    const { exit, checks } = await preflight(plain, directory);
    expect(exit).toBe(0);
    expect(checks["drift"]!.text).toContain("the role may not create a scratch database");
    expect(checks["superuser"]!.outcome).toBe("ok");
    // The same role doesn't own the table that a migration changes, and may not keep records.
    writeMigration(directory, "2_b", "ALTER TABLE a ADD COLUMN w text;\nCREATE INDEX CONCURRENTLY a_v ON a (v);");
    const refused = await preflight(plain, directory);
    expect(refused.exit).toBe(4);
    expect(refused.checks["permissions"]!.text).toContain("needs ownership of public.a");
    expect(refused.checks["permissions"]!.text).toContain("CREATE SCHEMA _release");
    expect(await migrate(plain, directory)).toMatchObject({ exit: 4, output: expect.stringContaining("no-records") });
  });
});

test("several findings come all at once, each with its evidence and next command", async () => {
  const { url, directory } = await released();
  const holder = new Client({ connectionString: url });
  await holder.connect();
  await holder.query("BEGIN; LOCK TABLE a IN ROW EXCLUSIVE MODE; PREPARE TRANSACTION 'left-over'");
  await holder.query("BEGIN; SELECT * FROM a; SELECT pg_advisory_lock(72707369)");
  await query(url, "SELECT setval('a_id_seq', 2000000000)");
  await query(url, "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', 'y', '0_failed')");
  await query(
    url,
    "INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('z', 'y', '3_ahead', now())",
  );
  await query(url, "INSERT INTO a (v) VALUES ('x')").catch(() => undefined);
  const invalid = new Client({ connectionString: url });
  await invalid.connect();
  await invalid.query("CREATE TABLE dup (id int); INSERT INTO dup VALUES (1), (1)");
  await invalid.query("SET lock_timeout = '5s'");
  // Fails, and leaves the index behind.
  await invalid.query("CREATE UNIQUE INDEX CONCURRENTLY dup_id ON dup (id)").catch(() => undefined);
  await invalid.end();
  writeMigration(directory, "1_a", "CREATE TABLE a (id serial PRIMARY KEY);");
  writeMigration(directory, "2_b", "ALTER TABLE a ADD COLUMN w text;");
  writeMigration(directory, "0_late", "SELECT 1;");
  // Locks count from two seconds on.
  await query(url, "SELECT pg_sleep(2.1)");
  const { exit, checks, output } = await preflight(
    url,
    directory,
    "--max-transaction-age",
    "1s",
    "--max-connections-percent",
    "1",
  );
  expect(exit).toBe(4);
  expect(checks["history"]!.text).toMatch(/edited after they were applied.*3_ahead.*0_failed was started at/);
  expect(checks["order"]!.text).toContain("0_late");
  expect(checks["locks"]!.text).toMatch(/pid \d+/);
  expect(checks["old-transactions"]!.text).toContain("SELECT pg_advisory_lock");
  expect(checks["runner"]!.text).toMatch(/Another migrator.*pid \d+/);
  expect(checks["prepared-transactions"]!.text).toContain("left-over");
  expect(checks["connections"]!.text).toContain("connections are in use");
  expect(checks["sequences"]!.text).toContain("93.1 % of 2147483647");
  expect(checks["invalid-indexes"]!.text).toContain("dup_id");
  expect(output).toMatch(/FAILED \(preflight\)[\s\S]*Next: /);
  await holder.query("ROLLBACK PREPARED 'left-over'").catch(() => undefined);
  await holder.query("ROLLBACK; ROLLBACK PREPARED 'left-over'").catch(() => undefined);
  await holder.end();
});

test("thresholds and levels that don't exist are refused, all at once", async () => {
  const { exit, output } = await migrate(
    "postgresql://h/d",
    historyOf({}),
    "preflight",
    "--check",
    "dirft=off",
    "--check",
    "drift=maybe",
    "--max-row-loss-percent",
    "many",
    "--disk-free",
    "x",
    "--note",
    "y",
  );
  expect(exit).toBe(2);
  for (const part of ['no check "dirft"', "fail, warn, off", "--max-row-loss-percent", "--disk-free", "KEY=TEXT"])
    expect(output).toContain(part);
});
