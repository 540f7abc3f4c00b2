import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadParser, planMigration } from "../../../migrations/history/plan";
import { refusedByServer } from "../../../migrator/checks/preflight/statements";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, query, reportedChecks, writeMigration } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  await loadParser();
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

async function preflight(sql: string) {
  const url = await postgres.createDatabase();
  const directory = historyOf({ "1_a": "CREATE TABLE a (id int PRIMARY KEY, t text);" });
  expect((await migrate(url, directory)).exit).toBe(0);
  writeMigration(directory, "2_b", sql);
  const { exit, output } = await migrate(url, directory, "preflight");
  const found = reportedChecks(output).find(({ name }) => name === "statements");
  return { exit, outcome: found?.outcome, text: JSON.stringify(found) };
}

describe("preflight refuses before the snapshot what can never run", () => {
  test.each([
    [
      "a command of psql",
      "CREATE TABLE b (id int);\n\\connect other\nCREATE TABLE c (id int);",
      "line 2: the server can't read it at column 1",
      "commands of psql",
    ],
    ["a variable of psql", "INSERT INTO a VALUES (1, :name);", "line 1", "filled in by psql"],
    [
      "rows of a dump",
      "COPY a (id, t) FROM stdin;\n1\tone; two\n2\tthree\n\\.\nCREATE TABLE d (id int);",
      "line 2",
      "write them as INSERT",
    ],
    [
      "VACUUM in a transaction",
      "SELECT 1;\nBEGIN;\nVACUUM a;\nCOMMIT;",
      "line 3",
      "VACUUM stands between BEGIN and COMMIT",
    ],
    ["COPY FROM STDIN without rows", "SELECT 1;\nCOPY a FROM STDIN;", "line 2", "no migration can send"],
    ["a no-break space", "CREATE\u00a0TABLE b (t text);", "line 1", "U+00A0"],
    ["a zero-width space", "SELECT 1;\n\u200bSELECT 2;", "line 2", "U+200B"],
    ["curly quotes", "INSERT INTO a VALUES (1, ‘it is’);", "line 1", "U+2019"],
    ["what is no SQL", "CREAT TABLE b (id int);", "line 1", "can't read it at column 1"],
    [
      "an extension that the server has not",
      'CREATE EXTENSION IF NOT EXISTS "vector";',
      "line 1",
      "the extension vector is not installed",
    ],
    [
      "a version of an extension that it has not",
      "CREATE EXTENSION pg_trgm VERSION '99.0';",
      "line 1",
      "no version 99.0",
    ],
    [
      "a prepared transaction that nobody ends",
      "BEGIN;\nINSERT INTO a VALUES (1);\nPREPARE TRANSACTION 'x1';",
      "line 3",
      "stay invisible",
    ],
    [
      "dropping Prisma's history",
      'CREATE TABLE z (i int);\nDROP TABLE IF EXISTS "_prisma_migrations";',
      "line 2",
      "drops _prisma_migrations",
    ],
    [
      "emptying Prisma's history",
      "TRUNCATE a, public._prisma_migrations;",
      "line 1",
      "empties public._prisma_migrations",
    ],
    [
      "deleting rows of Prisma's history",
      'DELETE FROM "_prisma_migrations";',
      "line 1",
      "deletes rows of _prisma_migrations",
    ],
    [
      "changing the release's own records",
      "UPDATE _release.audit SET event = 'x';",
      "line 1",
      "changes rows of _release.audit",
    ],
    [
      "renaming Prisma's history",
      "ALTER TABLE _prisma_migrations RENAME TO old;",
      "line 1",
      "renames _prisma_migrations",
    ],
    [
      "dropping the release's own records",
      "DROP SCHEMA IF EXISTS _release CASCADE;",
      "line 1",
      "drops the schema _release",
    ],
    [
      "moving Prisma's history to another schema",
      "CREATE SCHEMA s; ALTER TABLE _prisma_migrations SET SCHEMA s;",
      "line 1",
      "moves _prisma_migrations to another schema",
    ],
    [
      "dropping a column of Prisma's history",
      "ALTER TABLE _prisma_migrations ADD COLUMN note text, DROP COLUMN logs;",
      "line 1",
      "changes the column logs",
    ],
    ["forbidding itself to write", "SET TRANSACTION READ ONLY;", "line 1", "makes the transaction read-only"],
    [
      "forbidding itself to write by a setting",
      "SET LOCAL transaction_read_only TO on;",
      "line 1",
      "makes the transaction read-only",
    ],
    [
      "ending a prepared transaction that there isn't",
      "SELECT 1;\nCOMMIT PREPARED 'x';",
      "line 2",
      "that this database hasn't",
    ],
    [
      "prepared transactions where the server allows none",
      "BEGIN;\nPREPARE TRANSACTION 'x';\nROLLBACK PREPARED 'x';",
      "line 2",
      "max_prepared_transactions is 0",
    ],
    [
      "a file that the server has not",
      "SELECT 1;\nCOPY a FROM '/nowhere/rows.csv' CSV;",
      "line 2",
      "not on the server's machine",
    ],
    ["dropping the schema with the history in it", "DROP SCHEMA public CASCADE;", "line 1", "drops the schema public"],
  ])("%s", async (_, sql, ...expected) => {
    const { exit, outcome, text } = await preflight(sql);
    for (const part of ["2_b", ...expected]) expect(text).toContain(part);
    expect(outcome).toBe("fail");
    expect(exit).toBe(4);
  });

  test("and says nothing of what runs", async () => {
    const { outcome, text } = await preflight(`
      CREATE EXTENSION IF NOT EXISTS plpgsql; CREATE EXTENSION pg_trgm; CREATE EXTENSION IF NOT EXISTS pg_trgm;
      CREATE TABLE other (id int); DROP TABLE other; ALTER TABLE a RENAME COLUMN t TO u; TRUNCATE a;
      CREATE SCHEMA s; CREATE TABLE s._prisma_migrations (id int); DROP TABLE s._prisma_migrations; DROP SCHEMA s CASCADE;
      INSERT INTO a VALUES (1, ':name \\connect COPY a FROM STDIN; ‘x’ \u00a0'); -- \\connect \u00a0
      ALTER TABLE _prisma_migrations ENABLE ROW LEVEL SECURITY; COMMENT ON TABLE _prisma_migrations IS 'x';
      COPY a TO '/dev/null'; COPY a FROM '/dev/null'; COPY a FROM PROGRAM 'true'; BEGIN READ WRITE; SELECT 1; COMMIT;
      PREPARE p AS SELECT $1::int; DEALLOCATE p;`);
    expect({ outcome, text }).toEqual({ outcome: "ok", text: expect.stringContaining('"findings":[]') });
  });

  test("of what only this program's parser can't read, the server has the last word", async () => {
    const url = await postgres.createDatabase();
    const client = new Client({ connectionString: url });
    await client.connect();
    const session = { rows: async (text: string, values?: unknown[]) => (await client.query(text, values)).rows };
    const error = { message: "new", offset: 0, line: 1, column: 1 };
    const ask = (sql: string) => {
      const migration = { name: "1_a", sql, checksum: "" };
      return refusedByServer(session, migration, { ...planMigration(migration), error });
    };
    try {
      expect(await ask("CREATE TABLE made (id int); SELECT * FROM nowhere")).toEqual([]);
      expect(await ask("CREATE TABLE made (id int); /* open")).toHaveLength(1);
    } finally {
      await client.end();
    }
    expect(await query(url, "SELECT to_regclass('made') AS made")).toEqual([{ made: null }]);
  });
});
