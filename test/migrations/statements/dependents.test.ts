import { beforeAll, describe, expect, test } from "vitest";
import { loadParser } from "../../../migrations/sql/parse";
import { reviewAfter, serverWith } from "../../support/schema-server";

const base = `
CREATE SEQUENCE numbers;
CREATE TYPE mood AS ENUM ('ok');
CREATE DOMAIN short AS text;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION plain(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT x';
CREATE FUNCTION free() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION two() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION two(x int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TABLE t (id int PRIMARY KEY, a varchar(20), b text, c int, n int DEFAULT nextval('numbers'), w text, p text, m mood, s short,
  l text GENERATED ALWAYS AS (lower(a)) STORED, e int DEFAULT plain(2), u int UNIQUE, CONSTRAINT positive CHECK (plain(c) > 0));
CREATE TABLE ch (id int PRIMARY KEY, t_id int REFERENCES t (id), u int REFERENCES t (u), a text);
CREATE TABLE lone (id serial PRIMARY KEY, a text, b text);
CREATE INDEX by_plain ON lone (plain(id));
CREATE VIEW vb AS SELECT t.b, ch.a FROM t JOIN ch ON ch.t_id = t.id;
CREATE VIEW vv AS SELECT b FROM vb;
CREATE MATERIALIZED VIEW mv AS SELECT x.c FROM t x;
CREATE TRIGGER x BEFORE INSERT OR UPDATE OF w ON t FOR EACH ROW EXECUTE FUNCTION f();
CREATE POLICY mine ON t USING (p = 'x');
CREATE EXTENSION citext;
CREATE EXTENSION "uuid-ossp";
CREATE EXTENSION pg_trgm;
CREATE EXTENSION hstore;
CREATE SCHEMA full_one; CREATE TABLE full_one.x (id int);
CREATE SCHEMA kinds; CREATE TYPE kinds.k AS ENUM ('a');
CREATE SCHEMA bare; CREATE TABLE bare.x (id int); DROP TABLE bare.x;
CREATE TABLE ext (mail citext, id uuid DEFAULT uuid_generate_v4(), word text);
CREATE INDEX by_word ON ext USING gin (word gin_trgm_ops);
`;

/** Statements that Postgres refuses, with what the review names; the others it runs. */
const statements: readonly [sql: string, by?: string][] = [
  ["ALTER TABLE t ALTER COLUMN b TYPE varchar(90)", "view vb"],
  ["ALTER TABLE ch ALTER COLUMN a TYPE varchar(90)", "view vb"],
  ["ALTER TABLE t ALTER COLUMN c TYPE bigint", "view mv"],
  ["ALTER TABLE t ALTER COLUMN a TYPE varchar(30)", "generated l on t"],
  ["ALTER TABLE t ALTER COLUMN w TYPE varchar(30)", "trigger x on t"],
  ["ALTER TABLE t ALTER COLUMN p TYPE varchar(30)", "policy mine on t"],
  ["ALTER TABLE t ALTER COLUMN s TYPE text"],
  ["ALTER TABLE lone ALTER COLUMN a TYPE varchar(30)"],
  ["DROP VIEW vv, vb; ALTER TABLE t ALTER COLUMN b TYPE varchar(90)"],
  ["DROP VIEW vb CASCADE; ALTER TABLE t ALTER COLUMN b TYPE varchar(90)"],
  ["ALTER TABLE t RENAME COLUMN b TO bb; ALTER TABLE t ALTER COLUMN bb TYPE varchar(90)", "view vb"],
  ["ALTER TABLE t RENAME TO tt; ALTER TABLE tt ALTER COLUMN b TYPE varchar(90)", "view vb"],
  ["ALTER VIEW vb RENAME TO vc; ALTER TABLE t ALTER COLUMN b TYPE varchar(90)", "view vc"],
  ["ALTER TABLE t DROP COLUMN b", "view vb"],
  ["ALTER TABLE t DROP COLUMN a", "generated l on t"],
  ["ALTER TABLE t DROP COLUMN l"],
  ["ALTER TABLE t DROP COLUMN w", "trigger x on t"],
  ["ALTER TABLE t DROP COLUMN u", "foreign key ch_u_fkey of ch"],
  ["ALTER TABLE t DROP COLUMN b CASCADE"],
  ["ALTER TABLE t DROP COLUMN e"],
  ["ALTER TABLE lone DROP COLUMN b"],
  ["DROP TABLE t", "foreign key ch_t_id_fkey of ch"],
  ["DROP TABLE ch", "view vb"],
  ["DROP TABLE ch, t", "view vb"],
  ["DROP VIEW vv, vb; DROP TABLE ch"],
  ["DROP VIEW vb", "view vv"],
  ["DROP VIEW vv"],
  ["DROP MATERIALIZED VIEW mv; DROP VIEW vv; DROP VIEW vb; DROP TABLE t, ch"],
  ["DROP TABLE t CASCADE"],
  ["DROP FUNCTION f()", "trigger x on t"],
  ["DROP TRIGGER x ON t; DROP FUNCTION f()"],
  ["DROP FUNCTION plain(int)", "index by_plain on lone"],
  ["DROP FUNCTION free()"],
  ["DROP FUNCTION two(int)"],
  ["DROP SEQUENCE numbers", "default n on t"],
  ["ALTER TABLE t ALTER COLUMN n DROP DEFAULT; DROP SEQUENCE numbers"],
  ["DROP TYPE mood", "column m of t"],
  ["DROP DOMAIN short", "column s of t"],
  ["ALTER TABLE t DROP COLUMN m; DROP TYPE mood"],
  ["ALTER TABLE t DROP CONSTRAINT t_pkey", "foreign key ch_t_id_fkey of ch"],
  ["ALTER TABLE t DROP CONSTRAINT t_u_key", "foreign key ch_u_fkey of ch"],
  ["ALTER TABLE ch DROP CONSTRAINT ch_u_fkey; ALTER TABLE t DROP CONSTRAINT t_u_key"],
  ["DROP INDEX lone_pkey", "constraint lone_pkey on lone"],
  ["DROP INDEX by_plain"],
  ["DROP SCHEMA full_one", "table full_one.x"],
  ["DROP SCHEMA full_one CASCADE"],
  ["DROP TABLE full_one.x; DROP SCHEMA full_one"],
  ["DROP SCHEMA kinds", "type kinds.k"],
  ["DROP SCHEMA bare"],
  ["DROP EXTENSION citext", "column mail of ext"],
  ["DROP EXTENSION citext CASCADE"],
  ["DROP EXTENSION hstore"],
  ['DROP EXTENSION "uuid-ossp"', "default id on ext"],
  ["DROP EXTENSION pg_trgm", "index by_word on ext"],
  ["DROP TABLE ext; DROP EXTENSION citext, pg_trgm"],
];

beforeAll(() => loadParser());
const client = serverWith(base);
const review = reviewAfter(base);

describe("what the history knows to depend on something", () => {
  test.each(statements)("%s: refused because of %s", async (sql, by) => {
    const found = review(sql).filter(({ rule }) => rule === "has-dependents");
    await client.query("BEGIN");
    const refusal = await client.query(sql).then(
      () => undefined,
      (error: Error) => error.message,
    );
    await client.query("ROLLBACK");
    if (by === undefined) expect([refusal, found]).toEqual([undefined, []]);
    else {
      expect(refusal).toMatch(/depend|cannot (alter type|drop)/);
      expect(found).toContainEqual(
        expect.objectContaining({ severity: "error", classes: ["failing"], what: expect.stringContaining(by) }),
      );
    }
  });
});
