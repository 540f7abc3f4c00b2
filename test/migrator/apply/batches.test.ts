import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadParser, planMigration } from "../../../migrations/history/plan";
import { readBatch } from "../../../migrator/apply/batch-statement";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, preflightCheck, query, startMigrator, until } from "../support";

const planned = (sql: string) => planMigration({ name: "1_a", sql, checksum: "" }).statements.at(-1)!;

describe("a batched statement is restricted where its own condition stands", () => {
  beforeAll(() => loadParser());
  const restricted = (sql: string) =>
    readBatch(planned(`-- release: batch\n${sql}`)).restrictedTo((key) => `${key} < 9`, "id");

  test.each([
    ["UPDATE t SET a = 1", 'UPDATE t SET a = 1 WHERE "t"."id" < 9 '],
    ["UPDATE s.t AS x SET a = 1 WHERE b OR c", 'UPDATE s.t AS x SET a = 1 WHERE ( b OR c\n) AND "x"."id" < 9 '],
    [
      "DELETE FROM t USING u WHERE t.u = u.id RETURNING t.id",
      'DELETE FROM t USING u WHERE ( t.u = u.id \n) AND "t"."id" < 9 RETURNING t.id',
    ],
    [
      "UPDATE t SET a = (SELECT 1 FROM u WHERE true) WHERE é = 'WHERE'",
      'UPDATE t SET a = (SELECT 1 FROM u WHERE true) WHERE ( é = \'WHERE\'\n) AND "t"."id" < 9 ',
    ],
    [
      "INSERT INTO u SELECT * FROM t JOIN v ON t.v = v.id WHERE x ON CONFLICT DO NOTHING",
      'INSERT INTO u SELECT * FROM t JOIN v ON t.v = v.id WHERE ( x \n) AND "t"."id" < 9 ON CONFLICT DO NOTHING',
    ],
    [
      "INSERT INTO u SELECT * FROM t ON CONFLICT DO NOTHING",
      'INSERT INTO u SELECT * FROM t  WHERE "t"."id" < 9 ON CONFLICT DO NOTHING',
    ],
  ])("%s", (sql, expected) => expect(restricted(sql)).toBe(expected));

  test.each([
    ["CREATE TABLE x (id int)", "no UPDATE, DELETE or INSERT"],
    ["INSERT INTO u VALUES (1)", "plain table"],
    ["INSERT INTO u SELECT * FROM t RIGHT JOIN v ON t.v = v.id", "plain table"],
    ["INSERT INTO u SELECT a FROM t GROUP BY a", "GROUP BY"],
    ["INSERT INTO u SELECT a FROM t LIMIT 5", "LIMIT"],
    ["WITH w AS (SELECT 1) UPDATE t SET a = 1", "WITH"],
  ])("%s is refused", (sql, reason) => expect(() => restricted(sql)).toThrow(reason));
});

describe("a batched data migration", () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  const table =
    "CREATE TABLE t (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), n int, done int DEFAULT 0); INSERT INTO t (n) SELECT generate_series(1, 1000);";

  test("does what the statement does, with a commit each range, over any key", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({
      "1_a": table,
      "2_b": "-- release: batch size 100 pause 1ms\nUPDATE t SET done = done + 1 WHERE n > 500;",
    });
    expect(await migrate(url, directory)).toMatchObject({
      exit: 0,
      output: expect.stringContaining("500 rows in ranges of 100"),
    });
    expect(
      await query(
        url,
        "SELECT done, count(*)::int AS rows, count(DISTINCT xmin::text)::int AS commits FROM t GROUP BY 1 ORDER BY 1",
      ),
    ).toMatchObject([
      { done: 0, rows: 500 },
      { done: 1, rows: 500, commits: 10 },
    ]);
  });

  test("that was killed goes on behind its last range, and does no row twice", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({
      "1_a": table,
      "2_b": "-- release: batch size 50 pause 100ms\nUPDATE t SET done = done + 1;",
    });
    const running = startMigrator(["deploy", "--migrations", directory], { DATABASE_URL: url });
    const looked = () => query<{ note: { looked?: number } }>(url, "SELECT note FROM _release.step").catch(() => []);
    await until(async () => ((await looked())[0]?.note.looked ?? 0) >= 150, "three ranges are done");
    running.child.kill("SIGKILL");
    await running.ended;
    expect(await query(url, "SELECT 1 FROM t WHERE done = 0")).not.toHaveLength(0);
    expect(await migrate(url, directory)).toMatchObject({ exit: 0 });
    expect(await query(url, "SELECT DISTINCT done FROM t")).toEqual([{ done: 1 }]);
  });

  test.each([
    ["-- release: batch\nDELETE FROM k;", "primary key of one column"],
    ["-- release: batch sise 7\nDELETE FROM k;", "sise 7"],
    ["BEGIN;\n-- release: batch\nDELETE FROM k;\nCOMMIT;", "inside BEGIN"],
    ["-- release: batch\nDELETE FROM l WHERE a IN (SELECT a FROM l ORDER BY b LIMIT 10);", "beside the row"],
    ["-- release: batch\nDELETE FROM by_hand;", "primary key of one column"],
    ["-- release: contact\nDROP TABLE k;", "contract"],
  ])("is refused by preflight, and before anything is applied, where it can't be followed: %j", async (sql, reason) => {
    const url = await postgres.createDatabase();
    const first = {
      "1_a": "CREATE TABLE k (a int, b int, PRIMARY KEY (a, b)); CREATE TABLE l (a int PRIMARY KEY, b int);",
    };
    expect(await migrate(url, historyOf(first))).toMatchObject({ exit: 0 });
    await query(url, "CREATE TABLE by_hand (a int)");
    const directory = historyOf({
      ...first,
      "2_b": "CREATE TABLE early (id int);",
      "3_c": `CREATE TABLE late (id int);\n${sql}`,
    });
    expect(await preflightCheck(url, directory, "directives")).toMatchObject({
      exit: 4,
      outcome: "fail",
      text: expect.stringContaining(reason),
    });
    // Only the server knows of the table that was made by hand: its statement is the first that isn't run.
    if (sql.includes("by_hand")) return;
    const { exit, output } = await migrate(url, directory);
    expect({ exit, output }).toMatchObject({ exit: 5, output: expect.stringContaining("bad-directive") });
    // The line that is meant, and no comment that is masked.
    const line = `CREATE TABLE late (id int);\n${sql}`.split("\n").findIndex((each) => each.includes("release")) + 1;
    expect(output).toMatch(new RegExp(`^ *at 3_c/migration\\.sql:${line}$`, "m"));
    expect(output).not.toContain("/*");
    expect(await query(url, "SELECT relname FROM pg_class WHERE relname IN ('early', 'late')")).toEqual([]);
  });
});
