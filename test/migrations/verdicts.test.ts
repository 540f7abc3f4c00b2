import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checksumOf } from "../../migrations/history";
import { loadParser } from "../../migrations/parse";
import { reviewRelease } from "../../migrations/review";
import { startPostgres, type TestPostgres } from "../support/postgres";

const base = `
CREATE EXTENSION citext;
CREATE DOMAIN required AS text NOT NULL;
CREATE DOMAIN checked AS text CHECK (VALUE <> 'x');
CREATE FUNCTION stable_one() RETURNS text LANGUAGE sql STABLE AS 'SELECT ''x''';
CREATE FUNCTION any_one() RETURNS text LANGUAGE sql AS 'SELECT random()::text';
CREATE TABLE t (id int PRIMARY KEY, mail text NOT NULL, nick varchar(40), c numeric(10,2), d timestamp, s text, code char(5), n int, j jsonb,
  CONSTRAINT ck CHECK (s IS NOT NULL AND length(s) > 0));
CREATE UNIQUE INDEX t_mail ON t (mail);
INSERT INTO t SELECT g, g || '@x', 'a', 1.25, now(), 's', 'c', 1 FROM generate_series(1, 20) g;
CREATE MATERIALIZED VIEW m AS SELECT id FROM t;
CREATE INDEX m_id ON m (id);
CREATE MATERIALIZED VIEW mu AS SELECT id FROM t;
CREATE UNIQUE INDEX mu_id ON mu (id);
CREATE VIEW shown AS SELECT id, nick FROM t;
`;

/** What the review says of statements (its rules, without what it says of every change), and whether Postgres writes the table anew or refuses. */
const verdicts: readonly [sql: string, rules: string[], live: "rewrites" | "keeps" | "refuses"][] = [
  ["ALTER TABLE t ALTER COLUMN mail TYPE citext", ["index-under-lock", "new-unique"], "keeps"],
  ["DROP VIEW shown; ALTER TABLE t ALTER COLUMN nick TYPE citext", ["drop-view"], "keeps"],
  ["ALTER TABLE t ALTER COLUMN c TYPE numeric(12,3)", ["rewrite-blocks"], "rewrites"],
  ["ALTER TABLE t ALTER COLUMN c TYPE numeric(11,3)", ["rewrite-blocks"], "rewrites"],
  ["ALTER TABLE t ALTER COLUMN c TYPE numeric(10,3)", ["narrow-type", "rewrite-blocks"], "rewrites"],
  ["ALTER TABLE t ALTER COLUMN code TYPE varchar(5)", ["rewrite-blocks"], "rewrites"],
  ["ALTER TABLE t ALTER COLUMN n TYPE varchar(11)", ["rewrite-blocks"], "rewrites"],
  ["ALTER TABLE t ALTER COLUMN n TYPE varchar(10)", ["narrow-type", "rewrite-blocks"], "rewrites"],
  ["ALTER TABLE t ALTER COLUMN j TYPE json", ["rewrite-blocks"], "rewrites"],
  ["ALTER TABLE t ALTER COLUMN s SET NOT NULL", [], "keeps"],
  ["SET LOCAL timezone = 'UTC'; ALTER TABLE t ALTER COLUMN d TYPE timestamptz", [], "keeps"],
  ["SET LOCAL TIME ZONE 'Asia/Tokyo'; ALTER TABLE t ALTER COLUMN d TYPE timestamptz", ["rewrite-blocks"], "rewrites"],
  ["ALTER TABLE t ADD COLUMN x text DEFAULT stable_one()", [], "keeps"],
  ["ALTER TABLE t ADD COLUMN x text DEFAULT any_one()", ["rewrite-blocks"], "rewrites"],
  ["ALTER TABLE t ADD COLUMN x required", ["required-column", "rewrite-blocks"], "refuses"],
  ["ALTER TABLE t ADD COLUMN x checked", ["rewrite-blocks"], "rewrites"],
  ["ALTER TABLE t ADD CONSTRAINT nn NOT NULL nick", ["new-not-null", "scan-under-lock"], "keeps"],
  ["ALTER TABLE t ADD CONSTRAINT nn NOT NULL nick NOT VALID", ["new-not-null"], "keeps"],
  ["REFRESH MATERIALIZED VIEW CONCURRENTLY m", ["refresh-without-unique"], "refuses"],
  ["REFRESH MATERIALIZED VIEW CONCURRENTLY mu", [], "keeps"],
  ["DO $$ BEGIN CREATE INDEX CONCURRENTLY x ON t (s); END $$", ["concurrently-in-transaction"], "refuses"],
  ["ALTER TABLE t RENAME TO t_real; CREATE VIEW t AS SELECT * FROM t_real", [], "keeps"],
  ["CREATE SCHEMA app; ALTER TABLE t SET SCHEMA app; CREATE VIEW t AS SELECT * FROM app.t", [], "keeps"],
  ["ALTER TABLE t RENAME TO t_real; CREATE VIEW t AS SELECT id FROM t_real", ["rename-table"], "keeps"],
  ["ALTER TABLE t RENAME TO t_real; CREATE VIEW t AS SELECT * FROM t_real WHERE n > 1", ["rename-table"], "keeps"],
  ["CREATE OR REPLACE VIEW shown AS SELECT id, nick, n FROM t", [], "keeps"],
  ["CREATE OR REPLACE VIEW shown AS SELECT nick, id FROM t", ["cannot-replace"], "refuses"],
  ["CREATE OR REPLACE VIEW shown AS SELECT id FROM t", ["cannot-replace"], "refuses"],
  ["CREATE OR REPLACE FUNCTION any_one() RETURNS text LANGUAGE sql AS 'SELECT 1::text'", [], "keeps"],
  ["CREATE OR REPLACE FUNCTION any_one() RETURNS int LANGUAGE sql AS 'SELECT 1'", ["cannot-replace"], "refuses"],
  ["CREATE OR REPLACE FUNCTION any_one(x int) RETURNS int LANGUAGE sql AS 'SELECT 1'", [], "keeps"],
  ["SELECT id INTO tally FROM t; DROP TABLE tally", [], "keeps"],
];

let postgres: TestPostgres;
let client: Client;
beforeAll(async () => {
  await loadParser();
  postgres = await startPostgres();
  client = new Client({ connectionString: postgres.url });
  await client.connect();
  await client.query(base);
});
afterAll(async () => {
  await client.end();
  await postgres.stop();
});

const before = { name: "1_base", sql: base, checksum: checksumOf(base) };
const review = (sql: string) =>
  reviewRelease({ history: [before, { name: "2_new", sql, checksum: checksumOf(sql) }], applied: [before] }).findings;

describe("what the review says is what a server does", () => {
  test.each(verdicts)("%s: %j, and the server %s", async (sql, rules, live) => {
    const file = async () =>
      (
        await client.query(
          "SELECT max(pg_relation_filenode(c.oid)) AS file FROM pg_class c WHERE relname IN ('t', 't_real') AND relkind = 'r'",
        )
      ).rows[0].file;
    const old = await file();
    const did = await client.query("BEGIN").then(() =>
      client.query(sql).then(
        async () => ((await file()) === old ? "keeps" : "rewrites"),
        () => "refuses",
      ),
    );
    await client.query("ROLLBACK");
    expect(did).toBe(live);
    const found = review(sql).filter(({ severity }) => severity !== "info");
    expect(found.map(({ rule }) => rule).sort()).toEqual(rules);
  });
});

test("no SQL is proposed for a part of a DO block, and none takes a DO block apart", () => {
  const loop =
    "DO $$ DECLARE r record; BEGIN FOR r IN SELECT id FROM t LOOP UPDATE t SET n = r.id WHERE id = r.id; END LOOP; END $$";
  expect(review(loop).flatMap(({ safe }) => safe?.migrations ?? [])).toEqual([]);
  const commits = "DO $$ DECLARE top int; BEGIN SELECT max(id) INTO top FROM t; UPDATE t SET n = top; COMMIT; END $$";
  const pieces = review(`CREATE TABLE a (id int); ${commits}; DROP TABLE a`).flatMap(({ rule, safe }) =>
    rule === "half-applied" ? (safe?.migrations ?? []) : [],
  );
  expect(pieces).toEqual(["CREATE TABLE a (id int);", `${commits};`, "DROP TABLE a;"]);
});
