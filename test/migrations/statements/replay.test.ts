import { beforeAll, describe, expect, test } from "vitest";
import { loadParser, parseScript } from "../../../migrations/sql/parse";
import type { Defined, Replay } from "../../../migrations/statements/replay-rules";
import { replayOf } from "../../../migrations/statements/statements";

beforeAll(() => loadParser());

function verdicts(sql: string): Replay[] {
  const defined: Defined = { functions: new Map() };
  return [...parseScript(sql)].map(({ node }) => replayOf(node, defined));
}

describe("a replay beside the real databases runs what defines something in its own database", () => {
  test.each([
    "CREATE TABLE t (id serial PRIMARY KEY, at timestamptz DEFAULT now(), k uuid DEFAULT gen_random_uuid())",
    "ALTER TABLE t ADD COLUMN v text DEFAULT lower('X'), OWNER TO app",
    "CREATE UNIQUE INDEX CONCURRENTLY i ON t (lower(v)) WHERE v IS NOT NULL",
    "GRANT SELECT ON t TO app",
    "COMMENT ON TABLE t IS 'x'",
    "CREATE EXTENSION IF NOT EXISTS citext VERSION '1.6'",
    "SELECT pg_catalog.set_config('search_path', '', false)",
    "SET LOCAL lock_timeout = '1s'",
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(1); RETURN new; END $$",
    "CREATE VIEW w AS SELECT my_function(id) FROM t",
    "CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM t",
    "CREATE FUNCTION one() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'; CREATE INDEX j ON t ((id + one()))",
  ])("%s", (sql) => expect(new Set(verdicts(sql))).toEqual(new Set(["run"])));
});

describe("it leaves out what changes rows only", () => {
  test.each([
    "INSERT INTO t SELECT evil()",
    "WITH gone AS (DELETE FROM t RETURNING *) SELECT count(*) FROM gone",
    "COPY t FROM PROGRAM 'id'",
    "SELECT setval('s', 5)",
    "REFRESH MATERIALIZED VIEW m",
    "NOTIFY pgrst, 'reload schema'",
  ])("%s", (sql) => expect(verdicts(sql)).toEqual(["skip"]));
});

describe("it refuses what may reach out of the database, also inside of something else", () => {
  test.each([
    "ALTER ROLE app WITH PASSWORD 'initial' CONNECTION LIMIT 5",
    "DROP ROLE IF EXISTS app",
    "CREATE ROLE app",
    "GRANT admin TO app",
    "GRANT CONNECT ON DATABASE d TO app",
    "COMMENT ON ROLE app IS 'x'",
    "ALTER ROLE app RENAME TO b",
    "ALTER DATABASE d SET work_mem = '1GB'",
    "ALTER DATABASE d OWNER TO app",
    "ALTER SYSTEM SET work_mem = '1GB'",
    "DROP OWNED BY app",
    "REASSIGN OWNED BY app TO b",
    "CREATE DATABASE d",
    "CREATE TABLESPACE s LOCATION '/tmp'",
    "DO $$ BEGIN NULL; END $$",
    "CALL p()",
    "SELECT pg_terminate_backend(1)",
    "SELECT dblink_exec('host=other', 'DROP TABLE t')",
    "SELECT pg_advisory_lock(72707369)",
    "SELECT set_config('role', 'admin', false)",
    "SELECT set_config('ro' || 'le', 'admin', false)",
    "SET ROLE admin",
    "SET SESSION AUTHORIZATION admin",
    "CREATE TABLE t (id int DEFAULT evil())",
    "CREATE TABLE t (id int CHECK (evil(id)))",
    "ALTER TABLE t ALTER COLUMN id TYPE text USING evil(id)",
    "CREATE INDEX i ON t (id) WHERE evil()",
    "CREATE DOMAIN d AS text CHECK (evil(VALUE))",
    "CREATE TABLE c AS SELECT evil()",
    "SELECT evil() INTO c",
    "CREATE TABLE c AS WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone",
    "CREATE FUNCTION f(a int DEFAULT evil()) RETURNS int LANGUAGE sql AS 'SELECT a'",
    "CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS 'return 1'",
    "CREATE FUNCTION lower(x t) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$; CREATE INDEX i ON t (lower(v))",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'DELETE FROM t RETURNING 1'; CREATE TABLE c (id int DEFAULT f())",
    "CREATE VIEW w AS SELECT evil() AS x; CREATE TABLE c AS SELECT * FROM w",
    "CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION f()",
    "CREATE CAST (t AS text) WITH FUNCTION evil(t)",
    "CREATE OPERATOR = (FUNCTION = evil, LEFTARG = text, RIGHTARG = int)",
    "CREATE EXTENSION postgres_fdw",
    "CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw",
    "IMPORT FOREIGN SCHEMA public FROM SERVER s INTO public",
    "CREATE SUBSCRIPTION s CONNECTION 'host=other' PUBLICATION p",
    "PREPARE TRANSACTION 'x'",
    "EXECUTE something",
    "LOAD 'library'",
    "CHECKPOINT",
  ])("%s", (sql) => expect(verdicts(sql).at(-1)).toEqual({ outside: expect.any(String) }));
});
