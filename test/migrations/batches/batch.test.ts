import { beforeAll, describe, expect, test } from "vitest";
import { checksumOf } from "../../../migrations/history/history";
import { loadParser, planMigration } from "../../../migrations/history/plan";
import { readBatch } from "../../../migrator/apply/batch-statement";
import { reviewAfter, serverWith } from "../../support/schema-server";

/** What the statements below act on. */
const base = `
CREATE TABLE m (a int PRIMARY KEY, n int, up int REFERENCES m (a) ON DELETE SET NULL);
CREATE TABLE other (id int PRIMARY KEY, a int, n int);
CREATE TABLE child (id int PRIMARY KEY, a int REFERENCES m (a) ON DELETE CASCADE, n int);
CREATE TABLE copy (id int PRIMARY KEY, n int);
CREATE TABLE counted (id int PRIMARY KEY, n int);
CREATE TABLE audited (id int PRIMARY KEY, n int);
CREATE TABLE loose (name text, n int);
CREATE TABLE coded (code text NOT NULL UNIQUE, n int);
CREATE TABLE part (id int PRIMARY KEY, n int) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (1000);
CREATE VIEW few AS SELECT a, n FROM m WHERE n < 10;
CREATE VIEW fewer AS SELECT a FROM few;
CREATE MATERIALIZED VIEW kept AS SELECT a FROM m;
CREATE FUNCTION most() RETURNS int LANGUAGE sql STABLE AS 'SELECT max(n) FROM m';
CREATE FUNCTION most_of_all() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN most(); END $$;
CREATE FUNCTION atomic() RETURNS int STABLE BEGIN ATOMIC SELECT max(n) FROM few; END;
CREATE FUNCTION twice(x int) RETURNS int LANGUAGE sql AS 'SELECT 2 * x';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION sum_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.n := (SELECT count(*) FROM counted); RETURN NEW; END $$;
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER touch BEFORE UPDATE ON m FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER sum_up BEFORE UPDATE ON counted FOR EACH ROW EXECUTE FUNCTION sum_up();
CREATE TRIGGER note AFTER UPDATE OR DELETE ON audited EXECUTE FUNCTION note();
`;

/** Statements that do something else a range at a time, or can't be cut, and a word of the reason. */
const refused: readonly [sql: string, reason: string][] = [
  ["DELETE FROM m WHERE a IN (SELECT a FROM m ORDER BY n DESC LIMIT 1000)", "beside the row"],
  ["DELETE FROM m WHERE n < (SELECT max(n) FROM m)", "beside the row"],
  ["UPDATE m SET n = x.c FROM (SELECT n, count(*) AS c FROM m GROUP BY n) x WHERE x.n = m.n", "beside the row"],
  ["UPDATE m SET n = b.n FROM m b WHERE b.a = m.a + 1", "beside the row"],
  ["UPDATE public.m SET n = (SELECT b.n FROM public.m b WHERE b.a = m.a + 1)", "beside the row"],
  ["DELETE FROM m USING m b WHERE b.n = m.n AND b.a < m.a", "beside the row"],
  ["DELETE FROM m WHERE EXISTS (SELECT 1 FROM m b WHERE b.n = m.n AND b.a < m.a)", "beside the row"],
  ["DELETE FROM m WHERE a IN (SELECT max(a) OVER (PARTITION BY n) FROM m)", "beside the row"],
  ["UPDATE m SET n = 1 WHERE a IN (SELECT a FROM few)", "through few"],
  ["UPDATE m SET n = 1 WHERE a IN (SELECT a FROM fewer)", "through fewer"],
  ["UPDATE m SET n = 1 WHERE a IN (WITH w AS (SELECT a FROM m) SELECT a FROM w)", "beside the row"],
  ["UPDATE m SET n = 1 WHERE a IN (WITH m AS (SELECT a FROM m LIMIT 3) SELECT a FROM m)", "beside the row"],
  ["UPDATE part SET n = 1 WHERE id IN (SELECT max(id) FROM part_1)", "beside the row"],
  ["UPDATE m SET n = most()", "most()"],
  ["UPDATE m SET n = 1 WHERE n = most_of_all()", "most_of_all()"],
  ["UPDATE m SET n = atomic()", "atomic()"],
  ["DELETE FROM m WHERE n IN (SELECT n FROM child)", "beside the row"],
  ["DELETE FROM m WHERE up IS NOT NULL", "point to each other"],
  ["UPDATE m SET a = a + 100000", "the key that it is walked by"],
  ["UPDATE m SET (n, a) = (1, a + 1)", "the key that it is walked by"],
  ["UPDATE counted SET n = 0", "sum_up"],
  ["UPDATE audited SET n = 0", "once for the statement"],
  ["UPDATE other SET n = (SELECT (random() * 100)::int)", "random()"],
  ["DELETE FROM other WHERE random() < 0.5", "random()"],
  ["WITH x AS (SELECT 1) UPDATE other SET n = 2", "WITH"],
  ["UPDATE loose SET n = 1", "primary key of one column"],
  ["UPDATE few SET n = 1", "view"],
  [
    "INSERT INTO copy SELECT id, n FROM other WHERE NOT EXISTS (SELECT 1 FROM copy c WHERE c.n = other.n)",
    "beside the row",
  ],
  ["INSERT INTO m (a, n) SELECT a + 1000, n FROM m", "beside the row"],
  ["INSERT INTO m (a, up) SELECT id, a FROM other", "point to each other"],
  ["INSERT INTO copy SELECT max(id), 1 FROM other", "max()"],
  ["INSERT INTO copy SELECT row_number() OVER (ORDER BY n), n FROM other", "OVER"],
  ["INSERT INTO copy SELECT DISTINCT id, n FROM other", "DISTINCT"],
];

/** Statements that do the same a range at a time. */
const allowed: readonly string[] = [
  "UPDATE m SET n = n + 1 WHERE n > 5",
  "UPDATE m SET n = twice(n)",
  "UPDATE m SET n = other.n FROM other WHERE other.a = m.a",
  "UPDATE m SET n = (SELECT max(o.n) FROM other o WHERE o.a = m.a)",
  "UPDATE m SET n = 1 WHERE a IN (SELECT a FROM kept)",
  "DELETE FROM m WHERE n % 2 = 0",
  "DELETE FROM m USING other o WHERE o.a = m.a AND o.n < 5",
  "DELETE FROM other WHERE NOT EXISTS (SELECT 1 FROM m WHERE m.a = other.a)",
  "INSERT INTO copy SELECT id, (SELECT count(*) FROM other o WHERE o.n = other.n) FROM other",
  "INSERT INTO copy SELECT o.id, m.n FROM other o JOIN m ON m.a = o.a WHERE m.n > 3 ON CONFLICT DO NOTHING",
  "UPDATE part SET n = n + 1",
];

const review = reviewAfter(base);
const rules = (sql: string) => review(sql).map(({ rule }) => rule);

beforeAll(() => loadParser());

describe("a batch that would change the result", () => {
  test.each(refused)("of %s is refused by the review, and not proposed", (sql, reason) => {
    const [found, ...more] = review(`-- release: batch\n${sql}`).filter(({ rule }) => rule === "bad-directive");
    expect(found).toMatchObject({ severity: "error", classes: ["failing"], what: expect.stringContaining(reason) });
    expect(more).toEqual([]);
    expect(JSON.stringify(review(sql))).not.toContain("release: batch\\n");
  });

  test("is not proposed where the history doesn't tell what is read", () => {
    const proposals = (sql: string) => JSON.stringify(review(sql).filter(({ rule }) => rule === "many-rows"));
    expect(proposals("UPDATE m SET n = 1")).toContain("release: batch");
    expect(proposals("UPDATE m SET n = 1 WHERE a IN (SELECT a FROM elsewhere)")).not.toContain("release: batch");
    expect(proposals("UPDATE m SET n = somebodys(n)")).not.toContain("release: batch");
  });

  test("is walked by another key where the table has no primary key", () => {
    expect(rules("-- release: batch by code size 7\nUPDATE coded SET n = 1")).not.toContain("bad-directive");
    expect(rules("-- release: batch by n\nUPDATE coded SET n = 1")).toContain("bad-directive");
  });
});

describe("a batch that does the same", () => {
  const client = serverWith(`${base}
      INSERT INTO m SELECT g, g % 17, NULL FROM generate_series(1, 100) g;
      INSERT INTO other SELECT g, g / 2, g % 13 FROM generate_series(1, 100) g;
      INSERT INTO part SELECT g, g FROM generate_series(1, 100) g;
      INSERT INTO copy VALUES (5, 5);
      REFRESH MATERIALIZED VIEW kept;`);
  const contents = async () =>
    (
      await client.query(
        "SELECT 'm' t, a, n FROM m UNION ALL SELECT 'other', id, n FROM other UNION ALL SELECT 'copy', id, n FROM copy UNION ALL SELECT 'part', id, n FROM part ORDER BY 1, 2",
      )
    ).rows;

  test.each(allowed)("%s", async (sql) => {
    await client.query("BEGIN");
    if (!sql.includes("CONFLICT")) await client.query("DELETE FROM copy");
    await client.query("SAVEPOINT before");
    await client.query(sql);
    const whole = await contents();
    await client.query("ROLLBACK TO before");
    const text = `-- release: batch\n${sql}`;
    expect(rules(text)).not.toContain("bad-directive");
    const planned = planMigration({ name: "x", sql: text, checksum: checksumOf(text) }).statements[0]!;
    const batch = readBatch(planned);
    const key = batch.table === '"m"' ? "a" : "id";
    for (let from = 0; from < 110; from += 7)
      await client.query(batch.restrictedTo((column) => `${column} > ${from} AND ${column} <= ${from + 7}`, key));
    expect(await contents()).toEqual(whole);
    await client.query("ROLLBACK");
  });
});
