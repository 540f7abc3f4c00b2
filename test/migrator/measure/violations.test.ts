import { afterAll, beforeAll, expect, test } from "vitest";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, query } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 120_000);
afterAll(() => postgres.stop());

const TABLES = `CREATE TABLE "author" ("id" int PRIMARY KEY, "email" text, "name" text);
  CREATE TABLE "post" ("id" int PRIMARY KEY, "author_id" int);`;
const ROWS = `INSERT INTO author VALUES (1, 'canary@a', 'canary'), (2, 'canary@a', 'canarycanary'), (3, 'canary@b', NULL),
  (4, 'canary@b', 'x'), (5, 'canary@b', NULL), (6, NULL, 'y'), (7, NULL, 'z');
  INSERT INTO post VALUES (1, 1), (2, 4711), (3, NULL), (4, 4712)`;

/** Deploys a migration that fails on rows which are there, and returns what is said of them. */
async function violations(sql: string, ...options: string[]): Promise<{ told: string | undefined; output: string }> {
  const url = await postgres.createDatabase();
  expect((await migrate(url, historyOf({ "1_init": TABLES }))).exit).toBe(0);
  await query(url, ROWS);
  const { exit, output } = await migrate(url, historyOf({ "1_init": TABLES, "2_change": sql }), "--json", ...options);
  expect(exit, output).toBe(5);
  const events = output.split("\n").filter((line) => line.startsWith("{"));
  const told = events.map((line) => JSON.parse(line)).find(({ event }) => event === "violations");
  return { told: told?.message, output };
}

test.each([
  ['CREATE UNIQUE INDEX "e" ON "author" ("email")', "Duplicate keys (email) of author: 2 keys in 5 rows."],
  ["ALTER TABLE author ADD CONSTRAINT e UNIQUE (email)", "Duplicate keys (email) of author: 2 keys in 5 rows."],
  ["ALTER TABLE author ALTER COLUMN name SET NOT NULL", "2 rows of author have no name."],
  ["ALTER TABLE author ADD COLUMN age int NOT NULL", "7 rows of author would have no age."],
  [
    'ALTER TABLE "post" ADD CONSTRAINT "f" FOREIGN KEY ("author_id") REFERENCES "author"("id") ON DELETE CASCADE',
    "2 rows of post refer by (author_id) to no row of author.",
  ],
  [
    "UPDATE author SET email = 'w' WHERE id = 6; ALTER TABLE author ALTER COLUMN name TYPE varchar(6)",
    "1 row of author has more than 6 characters in name.",
  ],
])("a measured run counts the rows that %s fails on, and shows none", async (sql, expected) => {
  const { told, output } = await violations(sql, "--measure");
  expect(told).toBe(expected);
  expect(output).not.toMatch(/canary|4711/);
});

test.each([
  ["the rows of a partial index", "CREATE UNIQUE INDEX ON author (email) WHERE id > 1", "--measure"],
  ["what fails for another reason", "SELECT 1/(id - 1) FROM author", "--measure"],
  ["anything in a run that isn't measured", "CREATE UNIQUE INDEX ON author (email)", "--json"],
])("it doesn't count %s", async (_, sql, option) => {
  expect((await violations(sql, option)).told).toBeUndefined();
});
