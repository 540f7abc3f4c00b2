import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Measurement } from "../../../report/measurement";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, query, writeMigration } from "../support";

const TABLES = `CREATE TABLE author (id int PRIMARY KEY, email text NOT NULL, age int);
  CREATE TABLE post (id int PRIMARY KEY, author_id int NOT NULL REFERENCES author, title text);
  INSERT INTO author SELECT n, 'a' || n, n FROM generate_series(1, 200) n;
  INSERT INTO post SELECT n, n, repeat('x', 100) FROM generate_series(1, 200) n; ANALYZE;`;

const INSERTS = Array.from({ length: 30 }, (_, n) => `INSERT INTO post VALUES (${1000 + n}, 1, 'x');`);

/** Migrations that are measured in one deploy. */
const HISTORY = {
  "01_init": `${TABLES} CREATE TABLE large AS SELECT n, repeat('x', 100) FROM generate_series(1, 100000) n;
    CREATE SCHEMA shop; CREATE TABLE shop.cart (id int); CREATE ROLE plain; CREATE SCHEMA elsewhere AUTHORIZATION plain;`,
  "02_statements": `
    CREATE TABLE tag (id int PRIMARY KEY);
    ALTER TABLE tag ADD COLUMN name text;
    ALTER TABLE author ADD COLUMN nick text;
    ALTER TABLE author ALTER COLUMN id TYPE bigint;
    ALTER TABLE post ADD CONSTRAINT title CHECK (title <> '');
    UPDATE post SET title = 'y' WHERE id <= 50;
    CREATE INDEX ON post (title);`,
  "03_inserts": `${INSERTS.join("\n")}\nALTER TABLE shop.cart ADD COLUMN x int;`,
  "04_vacuum": "VACUUM FULL large;",
  "05_index": "CREATE INDEX CONCURRENTLY post_title ON post (title);",
  "06_blocked": "UPDATE author SET age = 1; ALTER TABLE post ADD COLUMN x int; SELECT pg_sleep(0.3);",
  "07_role": "SET ROLE plain; SET search_path = elsewhere; CREATE TABLE made (id int); RESET ROLE;",
  "08_level": `BEGIN; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; SET LOCAL statement_timeout = '50ms';
    ALTER TABLE author ADD COLUMN x int; COMMIT;`,
  "09_batch": "-- release: batch size 50\nUPDATE author SET x = 1 WHERE x IS NULL;",
  "10_block": "CREATE INDEX CONCURRENTLY ON author (x); BEGIN; ALTER TABLE author DROP COLUMN x; COMMIT;",
  "11_drop": "DROP TABLE post;",
};

const AUTHOR = { name: "author", rewritten: false, scanned: false };
const POST = { ...AUTHOR, name: "post" };

function measurementIn(output: string): Measurement {
  const lines = output.split("\n").filter((line) => line.startsWith("{"));
  const events = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === "measured");
  expect(events, output).toHaveLength(1);
  return events[0];
}

describe("a measured deploy", () => {
  let postgres: TestPostgres;
  let url: string;
  let measurement: Measurement;
  beforeAll(async () => {
    postgres = await startPostgres();
    url = await postgres.createDatabase();
    const { exit, output } = await migrate(url, historyOf(HISTORY), "--json", "--measure");
    expect(exit, output).toBe(0);
    measurement = measurementIn(output);
    expect(measurement.migrations.map(({ name }) => name)).toEqual(Object.keys(HISTORY));
  }, 120_000);
  afterAll(() => postgres.stop());

  const statementsOf = (name: keyof typeof HISTORY) =>
    measurement.migrations.find((each) => each.name === name)!.statements;
  const tablesOf = (name: keyof typeof HISTORY) => statementsOf(name).map(({ tables }) => tables);

  test("says of each statement which tables that were there before it locked, rewrote and read", () => {
    const statements = statementsOf("02_statements");
    expect(statements.map(({ index, kind }) => `${index} ${kind}`)).toEqual([
      "0 CREATE TABLE",
      "1 ALTER TABLE",
      "2 ALTER TABLE",
      "3 ALTER TABLE",
      "4 ALTER TABLE",
      "5 UPDATE",
      "6 CREATE INDEX",
    ]);
    expect(tablesOf("02_statements")).toEqual([
      [],
      [],
      [{ ...AUTHOR, lock: "ACCESS EXCLUSIVE" }],
      [
        { ...AUTHOR, rewritten: true, scanned: true },
        { ...POST, lock: "ACCESS EXCLUSIVE", scanned: expect.any(Boolean) },
      ],
      [{ ...POST, scanned: true }],
      [{ ...POST, scanned: true }],
      [{ ...POST, scanned: true }],
    ]);
    expect(statements[5]).toMatchObject({ rows: 50, line: 7 });
    expect(statements[5]!.walBytes).toBeGreaterThan(1000);
    expect(tablesOf("11_drop")).toEqual([
      [
        { ...AUTHOR, lock: "ACCESS EXCLUSIVE" },
        { ...POST, lock: "ACCESS EXCLUSIVE" },
      ],
    ]);
  });

  test("measures statements that only write rows together, as they are sent", () => {
    expect(statementsOf("03_inserts").map(({ index, kind, count, rows }) => ({ index, kind, count, rows }))).toEqual([
      { index: 0, kind: "INSERT", count: 30, rows: 30 },
      { index: 30, kind: "ALTER TABLE", count: undefined, rows: 0 },
    ]);
  });

  test("names the tables of another schema with it", () => {
    expect(tablesOf("03_inserts")[1]).toEqual([{ ...AUTHOR, name: "shop.cart", lock: "ACCESS EXCLUSIVE" }]);
  });

  test("sees the locks of statements that end their own transactions", () => {
    expect(statementsOf("04_vacuum")).toMatchObject([
      { kind: "VACUUM", tables: [{ name: "large", lock: "ACCESS EXCLUSIVE", rewritten: true }] },
    ]);
    expect(statementsOf("05_index")).toMatchObject([
      { kind: "CREATE INDEX CONCURRENTLY", tables: [{ name: "post", rewritten: false, scanned: true }] },
    ]);
  });

  test("counts how long others waited, until the transaction ended", () => {
    const { milliseconds, blocked } = measurement.migrations.find(({ name }) => name === "06_blocked")!;
    expect(blocked).toEqual([{ table: "post", lock: "ACCESS EXCLUSIVE", milliseconds: expect.any(Number) }]);
    expect(blocked[0]!.milliseconds).toBeGreaterThanOrEqual(300);
    expect(milliseconds).toBeGreaterThanOrEqual(blocked[0]!.milliseconds);
  });

  test("changes nothing about roles, settings, transactions and batches", async () => {
    expect(await query(url, "SELECT tableowner FROM pg_tables WHERE tablename = 'made'")).toEqual([
      { tableowner: "plain" },
    ]);
    // A look under its short statement_timeout might have failed, so there was none.
    expect(tablesOf("08_level").flat()).toEqual([]);
    expect(statementsOf("09_batch")).toMatchObject([{ kind: "UPDATE", rows: 200, tables: [] }]);
    expect(tablesOf("10_block").flat()).toContainEqual({ ...AUTHOR, lock: "ACCESS EXCLUSIVE" });
  });

  test("measures how tables, the database and the WAL grow, and nothing without the flag", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({ "01_init": TABLES });
    const unmeasured = await migrate(url, directory, "--json");
    expect(unmeasured.output).not.toContain('"measured"');
    expect(unmeasured.exit, unmeasured.output).toBe(0);
    writeMigration(
      directory,
      "02_change",
      `CREATE TABLE tag (id int); INSERT INTO tag SELECT generate_series(1, 5000);
       ALTER TABLE author DROP COLUMN age; DROP TABLE post;`,
    );
    const { output } = await migrate(url, directory, "--json", "--measure");
    const { growth, diskBytes, walBytes, plans } = measurementIn(output);
    expect(Object.keys(growth).sort()).toEqual(["author", "post", "tag"]);
    expect(growth["tag"]).toEqual({ after: { rows: 5000, bytes: expect.any(Number) } });
    expect(growth["post"]).toEqual({ before: { rows: expect.any(Number), bytes: expect.any(Number) } });
    expect(diskBytes).toBeGreaterThan(0);
    expect(walBytes).toBeGreaterThan(100_000);
    expect(plans).toBeUndefined();
  });
});
