import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readHistorySync } from "../../../migrations/history/history";
import { encodePayload, payloadKey } from "../../../migrations/history/payload";
import { dumpDatabase, startPostgres, type TestPostgres } from "../../support/postgres";
import { bundlePath, historyOf, migrate, query, scratch, startMigrator, writeMigration } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

const rows = (url: string) =>
  query<{
    migration_name: string;
    finished: boolean;
    checksum: string;
    applied_steps_count: number;
    logs: string | null;
  }>(
    url,
    "SELECT migration_name, finished_at IS NOT NULL AS finished, checksum, applied_steps_count, logs FROM _prisma_migrations ORDER BY started_at",
  );

describe("a deploy", () => {
  test("applies what is pending, writes Prisma's rows, and does nothing the second time", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({
      "20240101000000_a": "CREATE TABLE a (id int);",
      "20240102000000_b": "INSERT INTO a VALUES (1), (2);",
    });
    const first = await migrate(url, directory);
    expect(first).toMatchObject({ exit: 0, output: expect.stringContaining("Done: 2 migrations applied") });
    const checksums = readHistorySync(directory).map(({ checksum }) => checksum);
    expect(await rows(url)).toEqual([
      {
        migration_name: "20240101000000_a",
        finished: true,
        checksum: checksums[0],
        applied_steps_count: 1,
        logs: null,
      },
      {
        migration_name: "20240102000000_b",
        finished: true,
        checksum: checksums[1],
        applied_steps_count: 1,
        logs: null,
      },
    ]);
    const before = await dumpDatabase(url);
    expect(await migrate(url, directory)).toMatchObject({ exit: 0, output: expect.stringContaining("Nothing to do") });
    expect(await dumpDatabase(url)).toBe(before);
  });

  test("from the pieces of a payload does what it does from the folder", async () => {
    const url = await postgres.createDatabase();
    const payload = join(scratch, "payload");
    mkdirSync(payload);
    const history = readHistorySync(historyOf({ "1_a": "CREATE TABLE a (id int);" }));
    for (const [index, piece] of encodePayload(history).entries())
      writeFileSync(join(payload, payloadKey(index)), piece);
    const { exit } = await startMigrator(["deploy", "--payload", payload], {
      DIRECT_URL: url,
      DATABASE_URL: "postgresql://wrong.invalid/",
    }).ended;
    expect(exit).toBe(0);
    expect(await rows(url)).toHaveLength(1);
  });

  test("that fails leaves tables and history as before, and says where, why and what to do", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({ "1_a": "CREATE TABLE a (id int);" });
    await migrate(url, directory);
    const before = await dumpDatabase(url);
    writeMigration(
      directory,
      "2_b",
      "ALTER TABLE a ADD COLUMN ü text;\r\n\n-- ä comment 🐘\nALTER TABLE a ADD COLUMN x int,\n\tADD COLUMN id int;\n",
    );
    const { exit, output } = await migrate(url, directory);
    expect(exit).toBe(5);
    expect(output).toContain('ERROR: column "id" of relation "a" already exists');
    expect(output).toContain("at 2_b/migration.sql:4:1\n4 | ALTER TABLE a ADD COLUMN x int,\n    ^");
    expect(output).toMatch(
      /Database: rolled back.*\nApp: not touched.*\nNext: correct 2_b\/migration.sql, then: npm run migrator/,
    );
    const audit = /^.*_release\.audit.*$|.*migration\.(applied|failed).*/gm;
    expect((await dumpDatabase(url)).replace(audit, "")).toContain(
      before.split("\n").find((line) => line.includes("_prisma_migrations"))!,
    );
    expect(await rows(url)).toHaveLength(1);
    expect(await query(url, "SELECT column_name FROM information_schema.columns WHERE table_name = 'a'")).toHaveLength(
      1,
    );
    writeMigration(directory, "2_b", "ALTER TABLE a ADD COLUMN x int;");
    expect((await migrate(url, directory)).exit).toBe(0);
  });

  test("shows the line of a syntax error with a caret below the word", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({ "1_a": "-- ü 🐘\nCREATE TABLE a (\n\tid itn\n);\nSELECT 1 FRM a;" });
    const { output } = await migrate(url, directory);
    expect(output).toContain("at 1_a/migration.sql:5:14\n5 | SELECT 1 FRM a;\n                 ^");
    const types = historyOf({ "1_a": "SELECT '🐘🐘';\r\nCREATE TABLE a (\r\n\tid itn\r\n);" });
    expect((await migrate(url, types)).output).toContain("at 1_a/migration.sql:3:5\n3 | \tid itn\n    \t   ^");
  });

  test("runs what can't be in a transaction statement by statement", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({
      "1_a": "CREATE TABLE a (id int); INSERT INTO a SELECT generate_series(1, 10);",
      "2_b":
        "CREATE INDEX CONCURRENTLY a_id ON a (id);\nALTER TABLE a ADD COLUMN x int;\nVACUUM a;\nREINDEX INDEX CONCURRENTLY a_id;",
    });
    expect(await migrate(url, directory)).toMatchObject({ exit: 0 });
    expect(await query(url, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_id'::regclass")).toEqual([
      { indisvalid: true },
    ]);
    expect((await rows(url)).every(({ finished, applied_steps_count }) => finished && applied_steps_count === 1)).toBe(
      true,
    );
    expect(await query(url, "SELECT * FROM _release.step")).toEqual([]);
  });

  test("of a release whose snapshot is too old refuses only when something is pending", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({ "1_a": "CREATE TABLE a (id int);" });
    const createdAt = new Date(Date.now() - 2 * 3_600_000).toISOString();
    const snapshot = ["--snapshot", "notes-1", "--snapshot-created-at", createdAt, "--snapshot-max-age", "1h"];
    const refused = await migrate(url, directory, ...snapshot);
    expect(refused).toMatchObject({ exit: 7, output: expect.stringContaining("release.attempt") });
    expect(await query(url, "SELECT to_regclass('a') AS found")).toEqual([{ found: null }]);
    const gone = ["--snapshot", "notes-1", "--snapshot-created-at", "gone", "--snapshot-completed-at", "gone"];
    expect(await migrate(url, directory, ...gone)).toMatchObject({
      exit: 7,
      output: expect.stringContaining("There is no snapshot notes-1 any more"),
    });
    // The snapshot took two hours, and has only just ended.
    await migrate(url, directory, ...snapshot, "--snapshot-completed-at", new Date().toISOString());
    expect(await query(url, "SELECT to_regclass('a') AS found")).toEqual([{ found: "a" }]);
    for (const given of [snapshot, gone]) expect((await migrate(url, directory, ...given)).exit).toBe(0);
  });
});

describe("a history that doesn't fit the database is refused:", () => {
  const start = async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({ "1_a": "CREATE TABLE a (id int);", "2_b": "CREATE TABLE b (id int);" });
    await migrate(url, directory);
    return { url, directory };
  };

  test("an edited migration", async () => {
    const { url, directory } = await start();
    writeMigration(directory, "1_a", "CREATE TABLE a (id bigint);");
    expect(await migrate(url, directory)).toMatchObject({
      exit: 4,
      output: expect.stringContaining("1_a changed after being applied"),
    });
    expect((await migrate(url, directory, "status")).exit).toBe(4);
  });

  test("but not one whose line ends changed, as Prisma sees it too", async () => {
    const { url, directory } = await start();
    writeMigration(directory, "3_c", "SELECT 1;\nSELECT 2;\n");
    await migrate(url, directory);
    writeMigration(directory, "3_c", "SELECT 1;\r\nSELECT 2;\r\n");
    expect((await migrate(url, directory)).exit).toBe(0);
  });

  test("a database that is ahead, unless the release says so", async () => {
    const { url } = await start();
    const older = historyOf({ "1_a": "CREATE TABLE a (id int);" });
    expect(await migrate(url, older)).toMatchObject({ exit: 4, output: expect.stringContaining("2_b") });
    expect((await migrate(url, older, "--allow-database-ahead")).exit).toBe(0);
  });

  test("a migration that failed under Prisma", async () => {
    const { url, directory } = await start();
    await query(
      url,
      "INSERT INTO _prisma_migrations (id, checksum, migration_name, logs) VALUES ('x', 'y', '3_c', 'it broke')",
    );
    const { exit, output } = await migrate(url, directory);
    expect(exit).toBe(4);
    expect(output).toMatch(/3_c was started at .* and neither finished nor rolled back/);
    expect(output).toContain("it broke");
  });

  test("tables without a history", async () => {
    const url = await postgres.createDatabase();
    await query(url, "CREATE TABLE there (id int)");
    const directory = historyOf({ "1_a": "CREATE TABLE a (id int);" });
    expect(await migrate(url, directory)).toMatchObject({ exit: 4, output: expect.stringContaining("table there") });
  });
});

test("the bundle fits into a ConfigMap, whose values may have 1 MiB together", () => {
  expect(statSync(bundlePath()).size).toBeLessThan(900_000);
});

test("status tells pending, applied and refused apart by its exit status", async () => {
  const url = await postgres.createDatabase();
  const directory = historyOf({ "1_a": "CREATE TABLE a (id int);" });
  const before = await dumpDatabase(url);
  expect((await migrate(url, directory, "status")).exit).toBe(10);
  expect(await dumpDatabase(url)).toBe(before);
  await migrate(url, directory);
  const { exit, output } = await migrate(url, directory, "status", "--json");
  expect(exit).toBe(0);
  const events = output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(events.at(-1)).toMatchObject({ event: "status.summary", applied: 1, pending: 0 });
});

test("a migration that gives the migrator's lock away gets it back, and its own settings too", async () => {
  const url = await postgres.createDatabase();
  const directory = historyOf({
    "1_a": "CREATE TABLE a (id int PRIMARY KEY);",
    "2_discard": "DISCARD ALL;\nALTER TABLE a ADD COLUMN b int;",
    "3_unlock": "SELECT pg_advisory_unlock_all();\nALTER TABLE a ADD COLUMN c int;",
    "4_other": "SELECT pg_advisory_lock(7), pg_advisory_unlock(7);",
    "5_after": `CREATE TABLE seen AS SELECT count(*) AS locks FROM pg_locks
      WHERE locktype = 'advisory' AND objid = 72707369 AND pid = pg_backend_pid();`,
  });
  const { exit, output } = await migrate(url, directory);
  expect({ exit, output }).toMatchObject({ exit: 0 });
  expect(output.match(/gave the migrator's lock away/g)).toHaveLength(2);
  expect(await query(url, "SELECT locks::int FROM seen")).toEqual([{ locks: 1 }]);
});
