import { afterAll, beforeAll, expect, test } from "vitest";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, query } from "../support";

let postgres: TestPostgres;
let url: string;
beforeAll(async () => {
  postgres = await startPostgres();
  url = await postgres.createDatabase();
  expect((await migrate(url, historyOf({ "1_init": TABLES }))).exit).toBe(0);
  await query(url, ROWS);
}, 120_000);
afterAll(() => postgres.stop());

const TABLES = `CREATE TABLE "author" ("id" int PRIMARY KEY, "email" text, "name" text, "rate" numeric);
  CREATE TABLE "editor" ("id" int PRIMARY KEY);
  CREATE TABLE "post" ("id" int PRIMARY KEY, "author_id" int, "editor_id" int);`;
const ROWS = `INSERT INTO author (id, email, name) VALUES (1, 'canary@a', 'canary'), (2, 'canary@a', 'canarycanary'), (3, 'canary@b', NULL),
  (4, 'canary@b', 'x      '), (5, 'canary@b', NULL), (6, NULL, 'y'), (7, NULL, 'z');
  UPDATE author SET rate = 47110.123 WHERE id = 5;
  INSERT INTO editor VALUES (1), (2), (3);
  CREATE TABLE guarded (id int PRIMARY KEY, name text);
  CREATE FUNCTION f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
  CREATE ROLE other LOGIN;
  ALTER FUNCTION f OWNER TO other;
  CREATE INDEX ON guarded (f(id));
  INSERT INTO guarded VALUES (1);
  INSERT INTO post VALUES (1, 1, 1), (2, 4711, 2), (3, NULL, 3), (4, 4712, NULL)`;

/**
 * Deploys a migration that fails on rows which are there, and so leaves nothing. Returns what is said before the
 * server's message.
 */
async function violations(sql: string, ...options: string[]): Promise<{ told: string; output: string }> {
  const { exit, output } = await migrate(url, historyOf({ "1_init": TABLES, "2_change": sql }), "--json", ...options);
  expect(exit, output).toBe(5);
  const failed = output
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as { event: string; message: string; detail: string })
    .find(({ event }) => event === "failed")!;
  expect(failed.message).toContain(failed.detail.split("\n")[0]);
  return { told: failed.detail.split("\nERROR")[0]!, output };
}

test.each([
  ['CREATE UNIQUE INDEX "e" ON "author" ("email")', "Duplicate keys (email) of author: 2 keys in 5 rows."],
  [
    `CREATE UNIQUE INDEX "p" ON "post" ("id") WHERE id > 1; CREATE UNIQUE INDEX "n" ON author (email) NULLS NOT DISTINCT`,
    "Duplicate keys (email) of author: 3 keys in 7 rows.",
  ],
  ["ALTER TABLE author ADD CONSTRAINT e UNIQUE (email)", "Duplicate keys (email) of author: 2 keys in 5 rows."],
  ["ALTER TABLE author ALTER COLUMN name SET NOT NULL", "2 rows of author have no name."],
  ["ALTER TABLE author ADD COLUMN age int NOT NULL", "7 rows of author would have no age."],
  [
    'ALTER TABLE "post" ADD CONSTRAINT "f" FOREIGN KEY ("author_id") REFERENCES "author"("id") ON DELETE CASCADE',
    "2 rows of post refer by (author_id) to no row of author.",
  ],
  [
    `ALTER TABLE post ADD FOREIGN KEY (editor_id) REFERENCES editor (id), ADD FOREIGN KEY (author_id) REFERENCES author (id);`,
    "2 rows of post refer by (author_id) to no row of author.",
  ],
  [
    `ALTER TABLE author ALTER COLUMN rate TYPE numeric(6,1), ALTER COLUMN email TYPE varchar(3) USING 'ab';
     UPDATE author SET email = 'w' WHERE id = 6; ALTER TABLE author ALTER COLUMN name TYPE varchar(6)`,
    "1 row of author has more than 6 characters in name.",
  ],
])("a measured run counts the rows that %s fails on, and shows none", async (sql, expected) => {
  const { told, output } = await violations(sql, "--measure");
  expect(told).toBe(expected);
  expect(output).not.toMatch(/canary|4711/);
});

test.each([
  ["the rows of a partial index", "CREATE UNIQUE INDEX ON author (email) WHERE id > 1", "--measure"],
  ["a table whose index calls a function of another role", "ALTER TABLE guarded ALTER name SET NOT NULL", "--measure"],
  ["what fails for another reason", "SELECT 1/(id - 1) FROM author", "--measure"],
  ["anything in a run that isn't measured", "CREATE UNIQUE INDEX ON author (email)", "--json"],
])("it doesn't count %s", async (_, sql, option) => {
  expect((await violations(sql, option)).told).toMatch(/^ERROR/);
});
