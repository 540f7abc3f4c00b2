import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, query, writeMigration } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

/** Deploys a history of one table, and then a second migration. */
async function deploySecond(sql: string) {
  const url = await postgres.createDatabase();
  const directory = historyOf({ "1_a": "CREATE TABLE a (id int PRIMARY KEY, t text);" });
  expect((await migrate(url, directory)).exit).toBe(0);
  writeMigration(directory, "2_b", sql);
  const ended = await migrate(url, directory);
  const rows = await query<{ name: string }>(
    url,
    "SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY started_at",
  );
  return { ...ended, url, directory, applied: rows.map(({ name }) => name) };
}

const INDEX = "CREATE INDEX CONCURRENTLY i ON a (t);\n";

describe("deploy by hand of a migration that changes where it is recorded is rolled back, and names the statement:", () => {
  test.each([
    ["drops the history", "CREATE TABLE z (i int);\nDROP TABLE _prisma_migrations;", 2, "drops _prisma_migrations"],
    ["drops it and does nothing else", "DROP TABLE _prisma_migrations;", 1, "drops _prisma_migrations"],
    ["renames it", "ALTER TABLE _prisma_migrations RENAME TO old;", 1, "renames _prisma_migrations"],
    ["drops its schema", "SELECT 1;\nDROP SCHEMA public CASCADE;", 2, "drops the schema public"],
    ["empties it", "SELECT 1;\nTRUNCATE _prisma_migrations;", 2, "empties _prisma_migrations"],
    ["deletes a row of it", "DELETE FROM _prisma_migrations;", 1, "deletes rows of _prisma_migrations"],
    ["drops a column of it", "ALTER TABLE _prisma_migrations DROP COLUMN logs;", 1, "changes the column logs"],
    ["puts a CHECK on it", "ALTER TABLE _prisma_migrations ADD CHECK (id = '') NOT VALID;", 1, "violates check"],
    ["drops the records", "DROP SCHEMA _release CASCADE;", 1, "drops the schema _release"],
    ["forbids itself to write", "SET TRANSACTION READ ONLY;\nSELECT 1;", 1, "makes the transaction read-only"],
    [
      "hides it in a DO block",
      "SELECT 1;\nDO $$ BEGIN EXECUTE 'DELETE FROM _prisma'||'_migrations'; END $$;",
      2,
      "rows of",
    ],
    ["drops it in steps", `${INDEX}DROP TABLE _prisma_migrations;`, 2, "drops _prisma_migrations"],
    ["empties it in steps", `${INDEX}TRUNCATE _prisma_migrations;`, 2, "empties _prisma_migrations"],
    ["forbids writing in steps", `${INDEX}BEGIN READ ONLY;\nSELECT 1;\nCOMMIT;`, 2, "makes the transaction read-only"],
  ])("%s", async (_, sql, line, what) => {
    const { exit, output, applied } = await deploySecond(sql);
    expect(output).toMatch(/^FAILED \(not-recorded\): Migration 2_b ran, but can't be recorded: /m);
    expect(output).toContain(what);
    expect(output).toContain(`  at 2_b/migration.sql:${line}:1\n`);
    expect(output).toContain(
      sql.startsWith(INDEX) ? "1 of its" : "Database: rolled back; it is as it was before 2_b. Migrations before it",
    );
    expect(output).toMatch(new RegExp(`^Next: take .* out of 2_b/migration.sql \\(line ${line}\\), then: `, "m"));
    expect(exit).toBe(5);
    expect(applied).toEqual(["1_a"]);
  });

  test("and what is deployed after its correction needs nothing else", async () => {
    const { directory, url } = await deploySecond(`${INDEX}DROP TABLE _prisma_migrations;`);
    writeMigration(directory, "2_b", INDEX);
    expect((await migrate(url, directory)).exit).toBe(0);
  });
});

describe("a migration that changes only how it works itself is recorded:", () => {
  test.each([
    ["as another role", "SET ROLE pg_monitor;\nSELECT 1;"],
    ["as another role, in steps", `${INDEX}SET ROLE pg_monitor;\nSELECT 1;\nRESET ROLE;\nDROP INDEX CONCURRENTLY i;`],
    [
      "as another user, in steps",
      `SET SESSION AUTHORIZATION pg_monitor;\nSELECT 1;\nRESET SESSION AUTHORIZATION;\n${INDEX}`,
    ],
    ["with another search_path", `${INDEX}SET search_path = pg_catalog;\nSELECT 1;`],
    ["with EXECUTE and all settings reset", "DO $$ BEGIN EXECUTE 'SELECT 1'; END $$;\nRESET ALL;"],
    ["with transactions that only read, in steps", `${INDEX}SET default_transaction_read_only = on;\nSELECT 1;`],
    ["with a look at the history", "CREATE VIEW v AS SELECT migration_name FROM _prisma_migrations;"],
    ["with row level security on the history", "ALTER TABLE _prisma_migrations ENABLE ROW LEVEL SECURITY;"],
  ])("%s", async (_, sql) => {
    const { exit, output, applied } = await deploySecond(sql);
    expect(output).toContain("Verified");
    expect(exit).toBe(0);
    expect(applied).toEqual(["1_a", "2_b"]);
  });
});

test.each([
  ["behind the last word of the file", "SELECT 1;\nCREATE TABLE z (i int\n\n", "2:22"],
  [
    "in a line after \\r\\n, a tab and an umlaut",
    "CREATE TABLE z (i int);\r\n\tSELECT 'é😀', nope FROM z;\r\n",
    "2:15",
  ],
  [
    "in a function's body",
    "SELECT 1;\nCREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$\n  SELECT\n nope\n$$;",
    "4:2",
  ],
  ["at the DO block that fails", "SELECT 'é😀'; DO $$\nBEGIN\n  PERFORM nope;\nEND$$;", "1:14"],
  ["after rows that are copied out", "COPY a TO STDOUT;\nSELECT nope;", "2:8"],
])("an error is shown where it is: %s", async (_, sql, place) => {
  const { exit, output } = await deploySecond(sql);
  expect(output).toContain(`  at 2_b/migration.sql:${place}\n`);
  expect(exit).toBe(5);
});

test("what Postgres refuses before the first migration is no fault of the migration", async () => {
  const url = await postgres.createDatabase();
  await query(url, "CREATE ROLE poor LOGIN PASSWORD 'x'");
  const poor = new URL(url);
  Object.assign(poor, { username: "poor", password: "x" });
  const { exit, output } = await migrate(poor.href, historyOf({ "1_a": "SELECT 1;" }));
  expect(output).toContain("FAILED (bookkeeping-refused): ");
  expect(output).toContain("permission denied for schema public");
  expect(output).toMatch(/^Next: grant /m);
  expect(exit).toBe(5);
});

test("a history in another schema than that of the connection string is told of by preflight, status and deploy", async () => {
  const url = await postgres.createDatabase();
  const directory = historyOf({ "1_a": "CREATE TABLE a (id int PRIMARY KEY);" });
  const told = 'The schema "public" has no migration history, but "app" has one';
  expect((await migrate(`${url}?schema=app`, directory)).exit).toBe(0);
  expect(await migrate(url, directory, "status")).toMatchObject({ exit: 10, output: expect.stringContaining(told) });
  expect(await migrate(url, directory, "preflight")).toMatchObject({ exit: 0, output: expect.stringContaining(told) });
  await query(url, "CREATE TABLE public.a (id int)");
  expect(await migrate(url, directory)).toMatchObject({ exit: 4, output: expect.stringContaining(told) });
  const there = await migrate(`${url}?schema=app`, directory, "status");
  expect(there.exit).toBe(0);
  expect(there.output).not.toContain("but");
});
