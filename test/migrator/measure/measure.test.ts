import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { MeasuredStatement, Measurement } from "../../../report/measurement";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, query, writeMigration } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 120_000);
afterAll(() => postgres.stop());

const TABLES = `CREATE TABLE author (id int PRIMARY KEY, email text NOT NULL, age int);
  CREATE TABLE post (id int PRIMARY KEY, author_id int NOT NULL REFERENCES author, title text);
  INSERT INTO author SELECT n, 'a' || n, n FROM generate_series(1, 200) n;
  INSERT INTO post SELECT n, n, repeat('x', 100) FROM generate_series(1, 200) n; ANALYZE`;

/** Deploys a migration that makes two filled tables, and others after it, and returns what was measured and what was printed. */
async function measured(migrations: Record<string, string>, before = TABLES) {
  const url = await postgres.createDatabase();
  const directory = historyOf({ "1_init": before, ...migrations });
  const { exit, output } = await migrate(url, directory, "--json", "--measure");
  expect(exit, output).toBe(0);
  return { url, measurement: measurementIn(output) };
}

function measurementIn(output: string): Measurement {
  const lines = output.split("\n").filter((line) => line.startsWith("{"));
  const events = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === "measured");
  expect(events, output).toHaveLength(1);
  return events[0];
}

async function statementsOf(sql: string, before?: string): Promise<readonly MeasuredStatement[]> {
  const { measurement } = await measured({ "2_change": sql }, before);
  expect(measurement.migrations.map(({ name }) => name)).toEqual(["1_init", "2_change"]);
  return measurement.migrations[1]!.statements;
}

const AUTHOR = { name: "author", rewritten: false, scanned: false };

describe("a measured deploy", () => {
  test("says of each statement which tables that were there before it locked, rewrote and read", async () => {
    const statements = await statementsOf(`
      CREATE TABLE tag (id int PRIMARY KEY);
      ALTER TABLE tag ADD COLUMN name text;
      ALTER TABLE author ADD COLUMN nick text;
      ALTER TABLE author ALTER COLUMN id TYPE bigint;
      ALTER TABLE post ADD CONSTRAINT title CHECK (title <> '');
      UPDATE post SET title = 'y' WHERE id <= 50;
      CREATE INDEX ON post (title);
      DROP TABLE post;`);
    expect(statements.map(({ index, kind }) => `${index} ${kind}`)).toEqual([
      "0 CREATE TABLE",
      "1 ALTER TABLE",
      "2 ALTER TABLE",
      "3 ALTER TABLE",
      "4 ALTER TABLE",
      "5 UPDATE",
      "6 CREATE INDEX",
      "7 DROP TABLE",
    ]);
    expect(statements.map(({ tables }) => tables)).toEqual([
      [],
      [],
      [{ ...AUTHOR, lock: "ACCESS EXCLUSIVE" }],
      [
        { ...AUTHOR, rewritten: true, scanned: true },
        { ...AUTHOR, name: "post", lock: "ACCESS EXCLUSIVE", scanned: expect.any(Boolean) },
      ],
      [{ ...AUTHOR, name: "post", scanned: true }],
      [{ ...AUTHOR, name: "post", scanned: true }],
      [{ ...AUTHOR, name: "post", scanned: true }],
      [],
    ]);
    const update = statements[5]!;
    expect(update.rows).toBe(50);
    expect(update.line).toBe(7);
    expect(update.walBytes).toBeGreaterThan(1000);
  });

  test("measures statements that only write rows together, as they are sent", async () => {
    const inserts = Array.from({ length: 30 }, (_, n) => `INSERT INTO post VALUES (${1000 + n}, 1, 'x');`);
    const statements = await statementsOf(`${inserts.join("\n")}\nDROP TABLE post;`);
    expect(statements.map(({ index, kind, count, rows }) => ({ index, kind, count, rows }))).toEqual([
      { index: 0, kind: "INSERT", count: 30, rows: 30 },
      { index: 30, kind: "DROP TABLE", count: undefined, rows: 0 },
    ]);
  });

  test("sees the locks of a statement that ends its own transaction", async () => {
    const [statement] = await statementsOf(
      "VACUUM FULL post;",
      `${TABLES.replace("generate_series(1, 200) n; ANALYZE", "generate_series(1, 200) n; ALTER TABLE post DROP CONSTRAINT post_pkey; INSERT INTO post SELECT n, 1, repeat('x', 100) FROM generate_series(1, 100000) n; ANALYZE")}`,
    );
    expect(statement).toMatchObject({
      index: 0,
      kind: "VACUUM",
      tables: [{ name: "post", lock: "ACCESS EXCLUSIVE", rewritten: true }],
    });
  });

  test("measures CREATE INDEX CONCURRENTLY", async () => {
    const [statement] = await statementsOf("CREATE INDEX CONCURRENTLY post_title ON post (title);");
    expect(statement?.kind).toBe("CREATE INDEX CONCURRENTLY");
    expect(statement?.tables).toEqual([expect.objectContaining({ name: "post", rewritten: false, scanned: true })]);
  });

  test("counts how long others waited, until the transaction ended", async () => {
    const { measurement } = await measured({
      "2_change": `UPDATE author SET age = 1; ALTER TABLE post ADD COLUMN x int; SELECT pg_sleep(0.3);`,
    });
    const [{ milliseconds, blocked }] = [measurement.migrations[1]!];
    expect(blocked).toEqual([{ table: "post", lock: "ACCESS EXCLUSIVE", milliseconds: expect.any(Number) }]);
    expect(blocked[0]!.milliseconds).toBeGreaterThanOrEqual(300);
    expect(milliseconds).toBeGreaterThanOrEqual(blocked[0]!.milliseconds);
  });

  test("measures how tables, the database and the WAL grow, and nothing without the flag", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({ "1_init": TABLES });
    const unmeasured = await migrate(url, directory, "--json");
    expect(unmeasured.output).not.toContain('"measured"');
    expect(unmeasured.exit, unmeasured.output).toBe(0);
    writeMigration(
      directory,
      "2_change",
      `CREATE TABLE tag (id int); INSERT INTO tag SELECT generate_series(1, 5000); ALTER TABLE author DROP COLUMN age; DROP TABLE post;`,
    );
    const { output } = await migrate(url, directory, "--json", "--measure");
    const measurement = measurementIn(output);
    expect(Object.keys(measurement.growth).sort()).toEqual(["author", "post", "tag"]);
    expect(measurement.growth["tag"]).toEqual({ after: { rows: 5000, bytes: expect.any(Number) } });
    expect(measurement.growth["post"]).toEqual({ before: { rows: expect.any(Number), bytes: expect.any(Number) } });
    expect(measurement.diskBytes).toBeGreaterThan(0);
    expect(measurement.walBytes).toBeGreaterThan(100_000);
    expect(measurement.plans).toBeUndefined();
  });

  test("changes nothing about roles, settings, transactions and batches", async () => {
    const { url, measurement } = await measured(
      {
        "2_role": `SET ROLE plain; SET search_path = elsewhere; CREATE TABLE made (id int); RESET ROLE;`,
        "3_level": `BEGIN; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; SET LOCAL statement_timeout = '50ms'; ALTER TABLE author ADD COLUMN x int; COMMIT;`,
        "4_batch": `-- release: batch size 50\nUPDATE author SET x = 1 WHERE x IS NULL;`,
        "5_blocks": `CREATE INDEX CONCURRENTLY ON author (x); BEGIN; ALTER TABLE author DROP COLUMN x; COMMIT;`,
      },
      `${TABLES}; DROP ROLE IF EXISTS plain; CREATE ROLE plain; CREATE SCHEMA elsewhere AUTHORIZATION plain`,
    );
    expect(await query(url, "SELECT tableowner FROM pg_tables WHERE tablename = 'made'")).toEqual([
      { tableowner: "plain" },
    ]);
    const tables = measurement.migrations.map(({ statements }) => statements.flatMap((each) => each.tables));
    expect(tables[2]).toEqual([]);
    expect(measurement.migrations[3]!.statements[0]).toMatchObject({ kind: "UPDATE", rows: 200, tables: [] });
    expect(tables[4]).toContainEqual({ ...AUTHOR, lock: "ACCESS EXCLUSIVE" });
  });

  test("names the tables of another schema with it, and the text names each migration", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({
      "1_init": "CREATE SCHEMA shop; CREATE TABLE shop.cart (id int);",
      "2_change": "ALTER TABLE shop.cart ADD COLUMN x int;",
    });
    const { output } = await migrate(url, directory, "--measure");
    expect(output).toMatch(/^Measured 2_change: \S.*, blocked shop\.cart .* \(ACCESS EXCLUSIVE\)$/m);
  });
});
