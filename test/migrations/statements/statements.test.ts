import { beforeAll, describe, expect, test } from "vitest";
import { Schema } from "../../../migrations/schema/schema";
import { loadParser, parseScript } from "../../../migrations/sql/parse";
import { ExpectedSchema } from "../../../migrations/statements/expected-schema";
import { apply, effectOf, remainsOf } from "../../../migrations/statements/statements";

beforeAll(() => loadParser());

/** The schema after these statements. */
function after(sql: string): Schema {
  const schema = new Schema();
  for (const { node } of parseScript(sql)) apply(node, schema, "1_made");
  return schema;
}

/** What the last of these statements does to tables: `t ACCESS EXCLUSIVE scan`. */
function locks(sql: string): string[] {
  const schema = new Schema();
  const nodes = [...parseScript(sql)].map(({ node }) => node);
  for (const node of nodes.slice(0, -1)) apply(node, schema, "1_made");
  return effectOf(nodes.at(-1)!, schema).tables.map(({ name, lock, work }) => `${name.name} ${lock} ${work}`);
}

describe("what the history tells of a statement", () => {
  test("SET NOT NULL reads the table under its lock, unless a check proves it", () => {
    const table = "CREATE TABLE t (a int);";
    const check =
      "ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT c;";
    expect(locks(`${table} ALTER TABLE t ALTER a SET NOT NULL`)).toEqual(["t ACCESS EXCLUSIVE scan"]);
    expect(locks(`${table} ${check} ALTER TABLE t ALTER a SET NOT NULL`)).toEqual(["t ACCESS EXCLUSIVE none"]);
  });

  test("a function that is renamed stays known, to its triggers too", () => {
    const schema = after(
      `CREATE TABLE t (a int); CREATE FUNCTION f() RETURNS trigger STABLE LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
       CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); ALTER FUNCTION f() RENAME TO h;`,
    );
    expect(schema.routines.get("h")?.volatility).toBe("stable");
    expect([...schema.triggers.values()].map(({ routine }) => routine)).toEqual(["h"]);
  });

  test("a default calls something volatile also inside of a function that isn't", () => {
    const made =
      "CREATE TABLE t (a int); CREATE FUNCTION f(x float) RETURNS float IMMUTABLE LANGUAGE sql AS 'SELECT x';";
    expect(locks(`${made} ALTER TABLE t ADD b float DEFAULT f(random())`)).toEqual(["t ACCESS EXCLUSIVE rewrite"]);
    expect(locks(`${made} ALTER TABLE t ADD b float DEFAULT f(1)`)).toEqual(["t ACCESS EXCLUSIVE none"]);
  });

  test("what is made IF NOT EXISTS over something of that name leaves it as it is", () => {
    const made = "CREATE TABLE t (a int, b int); CREATE UNIQUE INDEX i ON t (a);";
    const again = `${made} CREATE INDEX IF NOT EXISTS i ON t (b); CREATE TABLE IF NOT EXISTS t (c int);
      ALTER TABLE t ADD COLUMN IF NOT EXISTS a text;`;
    const state = ({ indexes, tables }: Schema) => ({ indexes: [...indexes], tables: [...tables] });
    expect(state(after(again))).toEqual(state(after(made)));
  });

  test("a foreign table that is dropped is gone", () => {
    const made = "CREATE FOREIGN TABLE t (a int) SERVER s;";
    expect(after(made).tables.has("t")).toBe(true);
    expect(after(`${made} DROP FOREIGN TABLE t;`).tables.has("t")).toBe(false);
  });

  test("a view of a temporary table is gone with it, and nothing is expected of it", () => {
    const expected = new ExpectedSchema("public");
    for (const { node } of parseScript("CREATE TEMP TABLE t (a int); CREATE VIEW v AS SELECT a FROM t; DROP VIEW v;"))
      expected.see(node, "1_made");
    expect(expected.list()).toEqual([]);
  });

  test("an interrupted statement leaves what can be looked for, and others can be run twice", () => {
    const remains = (sql: string) => remainsOf([...parseScript(sql)][0]!.node);
    expect(remains("CREATE INDEX CONCURRENTLY i ON t (a)")).toMatchObject({ kind: "index", name: "i" });
    expect(remains("DROP INDEX CONCURRENTLY s.i")).toEqual({
      kind: "dropped",
      relations: [{ schema: "s", name: "i" }],
    });
    expect(remains("DROP DATABASE d")).toEqual({ kind: "object", object: "database", name: "d", present: false });
    expect(remains("ALTER TABLE p DETACH PARTITION c CONCURRENTLY")).toMatchObject({ kind: "detach" });
    expect(remains("VACUUM t")).toBeUndefined();
  });
});
