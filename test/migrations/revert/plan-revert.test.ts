import { beforeAll, describe, expect, test } from "vitest";
import { checksumOf, type Migration } from "../../../migrations/history/history";
import { migrationName } from "../../../migrations/revert/migration-name";
import { planRevert } from "../../../migrations/revert/plan-revert";
import { loadParser } from "../../../migrations/sql/parse";

beforeAll(loadParser);

const now = new Date("2026-04-10T12:00:00Z");

/** Plans to take back the migration `2_a` of a history. */
function planOf(base: string, reverted: string, later: Record<string, string> = {}, mayWait = true) {
  const history: Migration[] = Object.entries({ "1_base": base, "2_a": reverted, ...later }).map(([name, sql]) => ({
    name,
    sql,
    checksum: checksumOf(sql),
  }));
  return planRevert(history, "2_a", { now, mayWait });
}

const sqlOf = (...given: Parameters<typeof planOf>) => planOf(...given).migrations.map(({ sql }) => sql);

const NOTES = "CREATE TABLE notes (id int PRIMARY KEY, title text);";

describe("the new migration", () => {
  test("takes the statements back in their reverse order", () => {
    expect(
      sqlOf(NOTES, "ALTER TABLE notes ADD COLUMN a int; ALTER TABLE notes ADD CONSTRAINT c CHECK (title <> '');"),
    ).toEqual(["-- Reverts 2_a.\nALTER TABLE notes DROP CONSTRAINT c;\nALTER TABLE notes DROP COLUMN a;\n"]);
  });

  test("is named after the one that it takes back, and stands behind the last one of the folder", () => {
    const nameOf = (name: string, last: string, index = 0) => migrationName(name, index, last, now);
    expect(nameOf("20260101000000_add_a", "20260301000000_b")).toBe("20260410120000_revert_add_a");
    expect(nameOf("20260101000000_add_a", "20270101000000_future")).toBe("20270101000001_revert_add_a");
    expect(nameOf("20260101000000_add_a", "20260410120000_revert_add_a", 1)).toBe("20260410120001_revert_add_a_2");
    expect(nameOf("20260101000000", "0009_z")).toBe("20260410120000_revert_20260101000000");
    expect(nameOf("2_a", "2_a")).toBe("3_revert_a");
    expect(nameOf("9_a", "9_a")).toBe("9_a_revert_a");
  });

  test("waits for the rollout if only the newer version uses what it takes away", () => {
    expect(sqlOf(NOTES, "ALTER TABLE notes ADD COLUMN a int")[0]).toContain("-- release: contract\n");
    expect(sqlOf(NOTES, "ALTER TABLE notes ADD COLUMN a int", {}, false)[0]).not.toContain("-- release");
    expect(sqlOf(NOTES, "ALTER TABLE notes ADD COLUMN a int NOT NULL")[0]).not.toContain("-- release");
    expect(sqlOf(NOTES, "ALTER TABLE notes RENAME TO memos")[0]).not.toContain("-- release");
  });

  test("is several ones where a statement can't run in a transaction, of which the last ones wait for the rollout", () => {
    const sql =
      "CREATE TABLE tags (id int); CREATE INDEX i ON notes (title); ALTER TABLE notes ALTER title SET NOT NULL;";
    expect(sqlOf(NOTES, sql)).toEqual([
      "-- Reverts 2_a, part 1 of 3.\nALTER TABLE notes ALTER COLUMN title DROP NOT NULL;\n",
      "-- Reverts 2_a, part 2 of 3.\n-- release: contract\nDROP INDEX CONCURRENTLY i;\n",
      "-- Reverts 2_a, part 3 of 3.\n-- release: contract\nDROP TABLE tags;\n",
    ]);
  });

  test("names what it doesn't take back", () => {
    const { migrations, kept } = planOf(NOTES, "ALTER TABLE notes ADD a int;\nALTER TABLE notes DROP COLUMN title;");
    expect(migrations[0]?.sql).toContain(
      "-- Not taken back: line 2, ALTER TABLE: the values of the column are gone with it.\n",
    );
    expect(kept.map(({ line }) => line)).toEqual([2]);
  });

  test("doesn't mention what goes with an object that the migration has made itself", () => {
    const sql = `CREATE TABLE tags (id int PRIMARY KEY, note int REFERENCES notes (id)); CREATE INDEX i ON tags (note);
      INSERT INTO tags VALUES (1); COMMENT ON COLUMN tags.note IS 'x'; ALTER TABLE tags ADD COLUMN a int;
      ALTER TABLE notes ADD COLUMN b int; UPDATE notes SET b = 1; CREATE INDEX j ON notes (b, title); ALTER TABLE notes ALTER b SET NOT NULL;`;
    const { migrations, kept } = planOf(NOTES, sql);
    expect(kept).toEqual([]);
    expect(migrations.map((each) => each.sql)).toEqual([
      "-- Reverts 2_a.\n-- release: contract\nALTER TABLE notes DROP COLUMN b;\nDROP TABLE tags;\n",
    ]);
  });

  test("doesn't mention what the migration has dropped again", () => {
    expect(
      planOf(NOTES, "CREATE TABLE a (id int); ALTER TABLE a RENAME TO b; DROP TABLE b; CREATE TEMP TABLE t (id int)"),
    ).toMatchObject({
      migrations: [],
      kept: [],
    });
  });

  test("drops a renamed object by the name that it has then", () => {
    expect(sqlOf("", "CREATE TABLE a (id int); ALTER TABLE a RENAME TO b; ALTER TABLE b ADD COLUMN c int")).toEqual([
      "-- Reverts 2_a.\nALTER TABLE b RENAME TO a;\nDROP TABLE a;\n",
    ]);
  });

  test("leaves out what would fail because something before it can't be taken back", () => {
    const { migrations, kept } = planOf(
      `${NOTES} CREATE VIEW titles AS SELECT title FROM notes;`,
      "DROP VIEW titles; ALTER TABLE notes DROP COLUMN title; ALTER TABLE notes ADD COLUMN a int;",
    );
    expect(migrations.map(({ sql }) => sql).join()).toContain("DROP COLUMN a");
    expect(kept.map(({ undo }) => undo.never)).toEqual([
      "column title isn't there any more",
      "the values of the column are gone with it",
    ]);
  });

  test("is empty for a migration that sets search_path, whose names are not certain", () => {
    expect(planOf(NOTES, "SET search_path = other; ALTER TABLE notes ADD a int")).toMatchObject({
      migrations: [],
      kept: [{ undo: { never: "the migration sets search_path, so the names are not certain" } }],
    });
  });
});

describe("a later migration that builds upon what would be dropped is named:", () => {
  const COLUMN = "ALTER TABLE notes ADD COLUMN a int;";
  const base = `${NOTES} CREATE INDEX i ON notes (title); CREATE TABLE h (id int) PARTITION BY LIST (id);
    CREATE TABLE h1 PARTITION OF h FOR VALUES IN (1);`;
  test.each<[later: string, what: string, how: string, reverted?: string]>([
    ["CREATE INDEX i ON notes (a)", "index i", "made"],
    ["ALTER TABLE notes ADD CONSTRAINT c CHECK (a > 0)", "constraint notes.c", "made"],
    ["CREATE VIEW v AS SELECT a FROM notes", "view v", "made"],
    ["CREATE VIEW v AS SELECT * FROM notes", "view v", "made"],
    ["ALTER TABLE notes ALTER a SET DEFAULT 1", "default of notes.a", "made"],
    ["ALTER TABLE notes ALTER a TYPE bigint", "column notes.a", "changed"],
    ["ALTER TABLE notes RENAME COLUMN a TO b", "column notes.a", "gone"],
    ["ALTER TABLE notes RENAME TO memos", "column notes.a", "gone"],
    ["ALTER TABLE notes DROP COLUMN a", "column notes.a", "gone"],
    [
      "CREATE TABLE b (n int REFERENCES tags (id))",
      "foreign key b_n_fkey of b",
      "made",
      "CREATE TABLE tags (id int PRIMARY KEY)",
    ],
    ["ALTER TABLE tags ADD COLUMN b int", "column tags.b", "made", "CREATE TABLE tags (id int)"],
    [
      "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)",
      "partition or child p1",
      "made",
      "CREATE TABLE p (id int) PARTITION BY LIST (id)",
    ],
    ["CREATE TABLE b (k kind)", "column k of b", "made", "CREATE TYPE kind AS ENUM ('a')"],
    [
      "CREATE TRIGGER t BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION f()",
      "trigger t on notes",
      "made",
      "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    ],
    ["CREATE TABLE other.b (id int)", "table other.b", "made", "CREATE SCHEMA other"],
    [
      "ALTER TABLE notes ALTER title SET DEFAULT 'b'",
      "default of notes.title",
      "changed",
      "ALTER TABLE notes ALTER title SET DEFAULT 'a'",
    ],
    ["CREATE INDEX i ON notes (id)", "index i", "made", "DROP INDEX i"],
    ["ALTER TABLE notes RENAME TO memos", "table notes", "gone", "DROP INDEX i"],
    ["ALTER TABLE h ADD CONSTRAINT c CHECK (id > 0)", "constraint h.c", "made", "ALTER TABLE h DETACH PARTITION h1"],
  ])("%s", (later, what, how, reverted = COLUMN) => {
    const { builtUpon } = planOf(base, reverted, {
      "3_b": "SELECT 1",
      "4_c": later,
    });
    expect(builtUpon).toContainEqual(expect.objectContaining({ migration: "4_c", what, how }));
  });

  test("but not one whose effect is gone again, nor one that only writes rows or changes something else", () => {
    const { builtUpon, migrations } = planOf(NOTES, COLUMN, {
      "3_b": "CREATE INDEX i ON notes (a); CREATE INDEX j ON notes (title);",
      "4_c": "DROP INDEX i; UPDATE notes SET a = 1; ALTER TABLE notes ADD COLUMN b int;",
    });
    expect(builtUpon).toEqual([]);
    expect(migrations).toHaveLength(1);
  });
});
