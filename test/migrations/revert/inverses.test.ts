import { beforeAll, describe, expect, test } from "vitest";
import { emptySchema } from "../../../migrations/revert/effects";
import { writeSql } from "../../../migrations/revert/write-sql";
import { loadParser, parseScript } from "../../../migrations/sql/parse";
import { apply, undoOf } from "../../../migrations/statements/statements";

beforeAll(loadParser);

/** What the last statement of a script is taken back by: its SQL, `never: …`, or `stays: …`. */
function inverse(script: string): string[] {
  const schema = emptySchema();
  const statements = [...parseScript(script)];
  const last = statements.pop()!;
  for (const { node } of statements) apply(node, schema, "1_before");
  return undoOf(last.node, { schema, write: writeSql }).flatMap((undo) =>
    "sql" in undo ? undo.sql : `${undo.harmless ? "stays" : "never"}: ${undo.never}`,
  );
}

const NOTES = `CREATE TYPE mood AS ENUM ('ok', 'sad');
CREATE TABLE notes (id serial PRIMARY KEY, title varchar(20) NOT NULL DEFAULT 'none', body text, size int CHECK (size > 0), mood mood);`;

/** Each case has the schema before, a statement, and the statements that take it back. They stand by family. */
const cases: Record<string, readonly [before: string, statement: string, ...inverse: string[]][]> = {
  tables: [
    ["", "CREATE TABLE a (id int)", "DROP TABLE a"],
    ["", 'CREATE TABLE "My"."A" (id int)', 'DROP TABLE "My"."A"'],
    ["CREATE TABLE a (id int);", "CREATE TABLE IF NOT EXISTS a (id int)"],
    ["", "CREATE TABLE a AS SELECT 1", "DROP TABLE a"],
    ["", "CREATE MATERIALIZED VIEW a AS SELECT 1 AS b", "DROP MATERIALIZED VIEW a"],
    ["", "SELECT 1 AS b INTO a", "DROP TABLE a"],
    ["", "CREATE FOREIGN TABLE a (id int) SERVER s", "DROP FOREIGN TABLE a"],
    [NOTES, "DROP TABLE notes", "never: its rows are gone with it"],
  ],
  columns: [
    [NOTES, "ALTER TABLE notes ADD COLUMN a int", "ALTER TABLE notes DROP COLUMN a"],
    [NOTES, "ALTER TABLE notes ADD COLUMN IF NOT EXISTS body text"],
    [NOTES, "ALTER TABLE notes DROP COLUMN body", "never: the values of the column are gone with it"],
    [NOTES, "ALTER TABLE notes ALTER title SET DEFAULT 'x'", "ALTER TABLE notes ALTER COLUMN title SET DEFAULT 'none'"],
    [NOTES, "ALTER TABLE notes ALTER body SET DEFAULT 'x'", "ALTER TABLE notes ALTER COLUMN body DROP DEFAULT"],
    [NOTES, "ALTER TABLE notes ALTER title DROP DEFAULT", "ALTER TABLE notes ALTER COLUMN title SET DEFAULT 'none'"],
    [
      NOTES,
      "ALTER TABLE notes ALTER id DROP DEFAULT",
      "ALTER TABLE notes ALTER COLUMN id SET DEFAULT nextval(CAST('notes_id_seq' AS regclass))",
    ],
    ["", "ALTER TABLE other ALTER a SET DEFAULT 1", "never: the history doesn't show how it was before"],
    [NOTES, "ALTER TABLE notes ALTER body SET NOT NULL", "ALTER TABLE notes ALTER COLUMN body DROP NOT NULL"],
    [NOTES, "ALTER TABLE notes ALTER title SET NOT NULL"],
    [
      NOTES,
      "ALTER TABLE notes ALTER title DROP NOT NULL",
      "ALTER TABLE notes ADD CONSTRAINT notes_title_is_set CHECK (title IS NOT NULL) NOT VALID",
      "ALTER TABLE notes VALIDATE CONSTRAINT notes_title_is_set;\nALTER TABLE notes ALTER COLUMN title SET NOT NULL;\nALTER TABLE notes DROP CONSTRAINT notes_title_is_set",
    ],
    ["", "ALTER TABLE other ALTER a SET NOT NULL", "never: the history doesn't show how it was before"],
    [
      NOTES,
      "ALTER TABLE notes ALTER size ADD GENERATED ALWAYS AS IDENTITY",
      "ALTER TABLE notes ALTER COLUMN size DROP IDENTITY",
    ],
    [NOTES, "ALTER TABLE notes ALTER size DROP IDENTITY", "never: its sequence and the sequence's position are gone"],
    ["CREATE TYPE pair AS (a int);", "ALTER TYPE pair ADD ATTRIBUTE b int", "ALTER TYPE pair DROP ATTRIBUTE b"],
  ],
  "types of columns": [
    [
      NOTES,
      "ALTER TABLE notes ALTER title TYPE text",
      "ALTER TABLE notes ALTER COLUMN title DROP DEFAULT, ALTER COLUMN title TYPE varchar(20), ALTER COLUMN title SET DEFAULT 'none'",
    ],
    [NOTES, "ALTER TABLE notes ALTER size TYPE bigint", "ALTER TABLE notes ALTER COLUMN size TYPE int"],
    [
      NOTES,
      "ALTER TABLE notes ALTER body TYPE int USING body::int",
      "never: the values were converted from text to integer, and what they were is not kept",
    ],
    [
      NOTES,
      "ALTER TABLE notes ALTER title TYPE varchar(5)",
      "never: the values were converted from varchar(20) to varchar(5), and what they were is not kept",
    ],
    [
      `${NOTES} CREATE TYPE mood_new AS ENUM ('ok');`,
      "ALTER TABLE notes ALTER mood TYPE mood_new USING (mood::text::mood_new)",
      "ALTER TABLE notes ALTER COLUMN mood TYPE mood USING (mood::text::mood)",
    ],
  ],
  constraints: [
    [NOTES, "ALTER TABLE notes ADD CONSTRAINT c CHECK (size < 9)", "ALTER TABLE notes DROP CONSTRAINT c"],
    [NOTES, "ALTER TABLE notes ADD UNIQUE (body)", "ALTER TABLE notes DROP CONSTRAINT notes_body_key"],
    [
      NOTES,
      "ALTER TABLE notes ADD CHECK (size < 9)",
      "never: Postgres has chosen its name, and the history doesn't show which",
    ],
    [
      "CREATE TABLE a (b int);",
      "ALTER TABLE a ADD PRIMARY KEY (b)",
      "ALTER TABLE a DROP CONSTRAINT a_pkey;\nALTER TABLE a ALTER COLUMN b DROP NOT NULL",
    ],
    [
      "CREATE TABLE a (b int NOT NULL); CREATE UNIQUE INDEX i ON a (b);",
      "ALTER TABLE a ADD CONSTRAINT a_pkey PRIMARY KEY USING INDEX i",
      "ALTER TABLE a DROP CONSTRAINT a_pkey",
      "CREATE UNIQUE INDEX CONCURRENTLY i ON a (b)",
    ],
    [
      NOTES,
      "ALTER TABLE notes DROP CONSTRAINT notes_size_check",
      "ALTER TABLE notes ADD CONSTRAINT notes_size_check CHECK (size > 0) NOT VALID",
      "ALTER TABLE notes VALIDATE CONSTRAINT notes_size_check",
    ],
    [
      NOTES,
      "ALTER TABLE notes DROP CONSTRAINT notes_pkey",
      "CREATE UNIQUE INDEX CONCURRENTLY notes_pkey ON notes (id)",
      "ALTER TABLE notes ADD CONSTRAINT notes_pkey PRIMARY KEY USING INDEX notes_pkey",
    ],
    [
      NOTES,
      "ALTER TABLE notes DROP CONSTRAINT notes_pkey CASCADE",
      "never: CASCADE: what depended on it was dropped with it",
    ],
    ["", "ALTER TABLE other DROP CONSTRAINT c", "never: the history doesn't show how it was before"],
    [
      `${NOTES} ALTER TABLE notes ADD CONSTRAINT c CHECK (size < 9) NOT VALID;`,
      "ALTER TABLE notes VALIDATE CONSTRAINT c",
      "ALTER TABLE notes DROP CONSTRAINT c, ADD CONSTRAINT c CHECK (size < 9) NOT VALID",
    ],
  ],
  "the rest of ALTER TABLE": [
    [NOTES, "ALTER TABLE notes ENABLE ROW LEVEL SECURITY", "ALTER TABLE notes DISABLE ROW LEVEL SECURITY"],
    ["", "ALTER TABLE other ENABLE ROW LEVEL SECURITY", "never: the history doesn't show how it was before"],
    [NOTES, "ALTER TABLE notes SET (fillfactor = 70)", "ALTER TABLE notes RESET (fillfactor)"],
    [
      `${NOTES} ALTER TABLE notes SET (fillfactor = 70);`,
      "ALTER TABLE notes RESET (fillfactor)",
      "ALTER TABLE notes SET (fillfactor = 70)",
    ],
    [NOTES, "ALTER TABLE notes SET UNLOGGED", "never: this program knows no statement that takes it back"],
    [
      "CREATE TABLE p (a int) PARTITION BY RANGE (a); CREATE TABLE p1 (a int);",
      "ALTER TABLE p ATTACH PARTITION p1 FOR VALUES FROM (1) TO (2)",
      "ALTER TABLE p DETACH PARTITION p1",
    ],
    [
      "CREATE TABLE p (a int) PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (2);",
      "ALTER TABLE p DETACH PARTITION p1",
      "ALTER TABLE p ATTACH PARTITION p1 FOR VALUES FROM (1) TO (2)",
    ],
  ],
  indexes: [
    [NOTES, "CREATE INDEX i ON notes (body)", "DROP INDEX CONCURRENTLY i"],
    [NOTES, "CREATE INDEX ON notes (body)", "DROP INDEX CONCURRENTLY notes_body_idx"],
    ["CREATE TABLE p (a int) PARTITION BY RANGE (a);", "CREATE INDEX i ON p (a)", "DROP INDEX i"],
    [
      `${NOTES} CREATE INDEX i ON notes (lower(body) DESC) INCLUDE (id) WHERE size > 0;`,
      "DROP INDEX CONCURRENTLY i",
      "CREATE INDEX CONCURRENTLY i ON notes ((lower(body)) DESC) INCLUDE (id) WHERE size > 0",
    ],
    [
      `${NOTES} CREATE INDEX i ON notes (body); ALTER TABLE notes RENAME COLUMN body TO text;`,
      "DROP INDEX i",
      "never: the history doesn't show how it was before",
    ],
    ["", "DROP INDEX other", "never: the history doesn't show how it was before"],
    [NOTES, "CREATE STATISTICS s ON id, body FROM notes", "DROP STATISTICS s"],
    [NOTES, "REINDEX TABLE notes"],
  ],
  renames: [
    [NOTES, "ALTER TABLE notes RENAME TO memos", "ALTER TABLE memos RENAME TO notes"],
    [NOTES, 'ALTER TABLE notes RENAME COLUMN body TO "Text"', 'ALTER TABLE notes RENAME COLUMN "Text" TO body'],
    [
      NOTES,
      "ALTER TABLE notes RENAME CONSTRAINT notes_pkey TO p",
      "ALTER TABLE notes RENAME CONSTRAINT p TO notes_pkey",
    ],
    [NOTES, "ALTER INDEX i RENAME TO j", "ALTER INDEX j RENAME TO i"],
    [NOTES, "ALTER TYPE mood RENAME TO feeling", "ALTER TYPE feeling RENAME TO mood"],
    [NOTES, "ALTER TRIGGER a ON notes RENAME TO b", "ALTER TRIGGER b ON notes RENAME TO a"],
    [NOTES, "ALTER POLICY a ON notes RENAME TO b", "ALTER POLICY b ON notes RENAME TO a"],
    ["", "ALTER FUNCTION f(int) RENAME TO g", "ALTER FUNCTION g(int) RENAME TO f"],
    ["", "ALTER SCHEMA a RENAME TO b", "ALTER SCHEMA b RENAME TO a"],
    [NOTES, "ALTER TABLE notes SET SCHEMA other", "ALTER TABLE other.notes SET SCHEMA public"],
    ["", "ALTER ROLE a RENAME TO b", "never: it belongs to the whole server"],
  ],
  views: [
    [NOTES, "CREATE VIEW v AS SELECT id FROM notes", "DROP VIEW v"],
    [
      `${NOTES} CREATE VIEW v AS SELECT id FROM notes;`,
      "CREATE OR REPLACE VIEW v AS SELECT size AS id FROM notes",
      "CREATE OR REPLACE VIEW v AS SELECT id FROM notes",
    ],
    [
      `${NOTES} CREATE VIEW v AS SELECT id FROM notes;`,
      "CREATE OR REPLACE VIEW v AS SELECT id, body FROM notes",
      "never: CREATE OR REPLACE VIEW can't take columns away, and to drop the view would drop its privileges",
    ],
    [`${NOTES} CREATE VIEW v AS SELECT id FROM notes;`, "DROP VIEW v", "CREATE VIEW v AS SELECT id FROM notes"],
    [NOTES, "DROP VIEW v", "never: the history doesn't show how it was before"],
    [NOTES, "CREATE RULE r AS ON DELETE TO notes DO INSTEAD NOTHING", "DROP RULE r ON notes"],
    ["", "REFRESH MATERIALIZED VIEW v"],
  ],
  types: [
    ["", "CREATE TYPE t AS ENUM ('a')", "DROP TYPE t"],
    [
      NOTES,
      "ALTER TYPE mood ADD VALUE 'odd'",
      "stays: Postgres can't take the value 'odd' out of an enum; nothing has to use it",
    ],
    [NOTES, "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'ok'"],
    [NOTES, "ALTER TYPE mood RENAME VALUE 'ok' TO 'good'", "ALTER TYPE mood RENAME VALUE 'good' TO 'ok'"],
    [`${NOTES} ALTER TYPE mood ADD VALUE 'odd';`, "DROP TYPE mood", "CREATE TYPE mood AS ENUM ('ok', 'sad', 'odd')"],
    ["", "CREATE DOMAIN d AS int", "DROP DOMAIN d"],
    ["CREATE DOMAIN d AS int;", "ALTER DOMAIN d SET NOT NULL", "ALTER DOMAIN d DROP NOT NULL"],
    [
      "CREATE DOMAIN d AS int;",
      "ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0)",
      "ALTER DOMAIN d DROP CONSTRAINT c",
    ],
    ["", "CREATE TYPE t AS (a int)", "DROP TYPE t"],
  ],
  sequences: [
    ["", "CREATE SEQUENCE s", "DROP SEQUENCE s"],
    ["CREATE SEQUENCE s;", "ALTER SEQUENCE s INCREMENT 5", "ALTER SEQUENCE s INCREMENT 1"],
    ["CREATE SEQUENCE s INCREMENT 3;", "ALTER SEQUENCE s INCREMENT 5", "ALTER SEQUENCE s INCREMENT 3"],
    ["CREATE SEQUENCE s;", "ALTER SEQUENCE s OWNED BY t.a", "ALTER SEQUENCE s OWNED BY NONE"],
    ["CREATE SEQUENCE s;", "ALTER SEQUENCE s RESTART WITH 5", "never: the value at which it stood is not kept"],
    ["CREATE SEQUENCE s;", "DROP SEQUENCE s", "never: the value at which it stood is gone with it"],
  ],
  routines: [
    ["", "CREATE FUNCTION f(a int, OUT b text, c text[]) LANGUAGE sql AS 'SELECT 1'", "DROP FUNCTION f(int, text[])"],
    ["", "CREATE PROCEDURE p(a int) LANGUAGE sql AS 'SELECT 1'", "DROP PROCEDURE p(int)"],
    [
      "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1';",
      "CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 2'",
      "CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql AS $$SELECT 1$$",
    ],
    [
      "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1';",
      "DROP FUNCTION f",
      "CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql AS $$SELECT 1$$",
    ],
    [
      "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1';",
      "ALTER FUNCTION f(int) STABLE",
      "CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql AS $$SELECT 1$$",
    ],
    [
      "",
      "CREATE FUNCTION f(a notes.id%TYPE) RETURNS int LANGUAGE sql AS 'SELECT 1'",
      "never: the types of its arguments can't be written back",
    ],
    ["", "CALL p(1)", "never: what the procedure did is decided while it runs"],
    ["", "DO $$ BEGIN DROP TABLE a; END $$", "never: what its block did is decided while it runs"],
  ],
  triggers: [
    [NOTES, "CREATE TRIGGER t BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION f()", "DROP TRIGGER t ON notes"],
    [
      `${NOTES} CREATE TRIGGER t BEFORE UPDATE OF body ON notes FOR EACH ROW EXECUTE FUNCTION f();`,
      "DROP TRIGGER t ON notes",
      "CREATE TRIGGER t BEFORE UPDATE OF body ON notes FOR EACH ROW EXECUTE FUNCTION f ()",
    ],
    ["", "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f()", "DROP EVENT TRIGGER e"],
  ],
  policies: [
    [NOTES, "CREATE POLICY p ON notes USING (true)", "DROP POLICY p ON notes"],
    [
      `${NOTES} CREATE POLICY p ON notes USING (true);`,
      "ALTER POLICY p ON notes USING (false)",
      "DROP POLICY p ON notes;\nCREATE POLICY p ON notes AS PERMISSIVE FOR ALL TO PUBLIC USING (true)",
    ],
    [
      `${NOTES} CREATE POLICY p ON notes USING (true);`,
      "DROP POLICY p ON notes",
      "CREATE POLICY p ON notes AS PERMISSIVE FOR ALL TO PUBLIC USING (true)",
    ],
  ],
  rows: [
    [NOTES, "INSERT INTO notes VALUES (1)", "never: the rows that it wrote are not told apart from others"],
    [NOTES, "UPDATE notes SET body = ''", "never: the values before it are not kept"],
    [NOTES, "DELETE FROM notes", "never: its rows are gone"],
    [NOTES, "TRUNCATE notes", "never: its rows are gone"],
    ["", "SELECT setval('s', 5)", "never: the value at which the sequence stood is not kept"],
    ["", "SELECT mine()", "never: what the function mine did is decided while it runs"],
    ["", "SELECT now()"],
    [NOTES, "COPY notes TO STDOUT"],
  ],
  rights: [
    [
      NOTES,
      "GRANT SELECT ON notes TO app",
      "stays: the role keeps the privilege: who had which privilege before is not kept",
    ],
    [NOTES, "REVOKE SELECT ON notes FROM app", "never: who had which privilege before is not kept"],
    ["", "CREATE ROLE app", "stays: roles belong to the whole server"],
    [NOTES, "ALTER TABLE notes OWNER TO app", "never: this program knows no statement that takes it back"],
  ],
  server: [
    ["", "CREATE SCHEMA a", "DROP SCHEMA a"],
    ["", 'CREATE SCHEMA IF NOT EXISTS "public"'],
    ["CREATE SCHEMA a;", "CREATE SCHEMA IF NOT EXISTS a"],
    ["CREATE SCHEMA a;", "DROP SCHEMA a", "CREATE SCHEMA a"],
    ["", "CREATE EXTENSION IF NOT EXISTS citext", "DROP EXTENSION citext"],
    ["CREATE EXTENSION citext;", "DROP EXTENSION citext", "CREATE EXTENSION citext"],
    ["", "CREATE PUBLICATION p FOR ALL TABLES", "DROP PUBLICATION p"],
    ["", "ALTER SYSTEM SET work_mem = '8MB'", "never: this program knows no statement that takes it back"],
  ],
  comments: [
    [NOTES, "COMMENT ON TABLE notes IS 'x'", "COMMENT ON TABLE notes IS NULL"],
    [
      `${NOTES} COMMENT ON COLUMN notes.body IS 'it''s';`,
      "COMMENT ON COLUMN notes.body IS NULL",
      "COMMENT ON COLUMN notes.body IS 'it''s'",
    ],
    ["", "COMMENT ON TABLE other IS 'x'", "stays: the history doesn't show how it was before"],
  ],
  "sessions and maintenance": [
    ["", "SET lock_timeout = '5s'"],
    ["", "BEGIN"],
    ["", "LOCK TABLE a"],
    ["", "ANALYZE"],
    ["", "VACUUM"],
  ],
};

for (const [family, list] of Object.entries(cases))
  describe(`${family} are taken back:`, () => {
    test.each(list.map(([before, statement, ...expected]) => ({ before, statement, expected })))(
      "$statement",
      ({ before, statement, expected }) => {
        expect(inverse(`${before} ${statement}`)).toEqual(expected);
      },
    );
  });
