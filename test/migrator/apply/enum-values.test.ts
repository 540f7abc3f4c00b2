import { afterAll, beforeAll, expect, test } from "vitest";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, query, writeMigration } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

const base = `CREATE TYPE state AS ENUM ('open'); CREATE TABLE t (id int PRIMARY KEY, s state);
CREATE TABLE log (id int PRIMARY KEY, note text); INSERT INTO log VALUES (1, 'a');`;

test.each([
  [
    "a text default, a lock and a temporary table",
    `LOCK TABLE log IN SHARE ROW EXCLUSIVE MODE;
     CREATE TEMP TABLE keep ON COMMIT DROP AS SELECT id FROM log;
     ALTER TABLE log ADD COLUMN kind text NOT NULL DEFAULT 'archived';
     DELETE FROM log WHERE id NOT IN (SELECT id FROM keep);`,
  ],
  [
    "a function's body and a comment",
    `CREATE FUNCTION add() RETURNS void AS $$ BEGIN INSERT INTO t (s) VALUES ('archived'); END $$ LANGUAGE plpgsql;
     COMMENT ON TABLE log IS 'archived';`,
  ],
])("a new enum value whose text stands in %s leaves the migration one transaction", async (_, sql) => {
  const url = await postgres.createDatabase();
  const directory = historyOf({ "1_a": base, "2_b": `ALTER TYPE state ADD VALUE 'archived';\n${sql}` });
  const { exit, output } = await migrate(url, directory);
  expect(output).not.toContain("in steps");
  expect(exit).toBe(0);
  expect(await query(url, "SELECT id FROM log")).toEqual([{ id: 1 }]);
});

test("a new enum value that is used at once takes two transactions, SET LOCAL holds in both, and a correction goes on behind the first", async () => {
  const url = await postgres.createDatabase();
  const sql = (last: string) => `SET LOCAL application_name = 'kept';
CREATE TABLE before (id int);
ALTER TYPE state ADD VALUE 'archived';
INSERT INTO t VALUES (1, 'archived');
INSERT INTO log VALUES (2, current_setting('application_name'));
${last}`;
  const directory = historyOf({ "1_a": base, "2_b": sql("SELECT 1 / 0;") });
  expect(await migrate(url, directory)).toMatchObject({
    exit: 5,
    output: expect.stringContaining("3 of its 6 statements are applied and stay"),
  });
  expect(await query(url, "SELECT * FROM t")).toEqual([]);
  writeMigration(directory, "2_b", sql("ALTER TYPE state ADD VALUE 'gone';\nINSERT INTO t VALUES (2, 'gone');"));
  expect(await migrate(url, directory)).toMatchObject({ exit: 0 });
  expect(await query(url, "SELECT id, s::text FROM t ORDER BY 1")).toEqual([
    { id: 1, s: "archived" },
    { id: 2, s: "gone" },
  ]);
  expect(await query(url, "SELECT note FROM log WHERE id = 2")).toEqual([{ note: "kept" }]);
});
