import type { Node } from "libpg-query";
import type { Schema } from "../schema/schema";
import { objectText, type SchemaObject } from "../schema/schema-object";
import { relationMade } from "../schema/temporary";
import { keyOf, nameOf } from "../sql/identifier";
import { parseScript } from "../sql/parse";
import { columnsMentioned, tablesRead } from "../sql/references";
import { apply, undoOf } from "../statements/statements";
import type { Inverse, Undo } from "../statements/undo";
import { movedBy } from "../statements/undo-rename";
import { exists, hasPlace, isProperty } from "./exists";
import { dependentsOf, objectsNamed } from "./facts";
import { writeSql } from "./write-sql";

/**
 * Adds the SQL of an inverse to the schema, statement by statement.
 * @param known the keys of the tables that the history had before and after the migration
 * @returns why it would fail, because something before it is not taken back; undefined if it works
 */
export function obstacle({ sql }: Inverse, schema: Schema, known: readonly string[]): string | undefined {
  for (const piece of sql)
    for (const { node } of parseScript(piece)) {
      const moved = movedBy(node);
      const problem = moved ? cantMove(moved, schema) : (gone(node, schema, known) ?? cantRun(node, schema));
      if (problem !== undefined) return problem;
      apply(node, schema, "");
    }
  return undefined;
}

/** A table that a statement names, that the history had, and that isn't there any more. */
function gone(node: Node, schema: Schema, known: readonly string[]): string | undefined {
  const made = relationMade(node);
  const named = objectsNamed(node).filter(
    ({ kind, key }) => kind === "table" && (!made || key !== keyOf(nameOf(made))),
  );
  const lost = named.find(({ key }) => known.includes(key) && !schema.tables.has(key));
  return lost && `${objectText(lost)} isn't there any more`;
}

function cantMove({ from, to }: { from: SchemaObject; to: SchemaObject }, schema: Schema): string | undefined {
  if (!exists(schema, from)) return `${objectText(from)} isn't there any more`;
  return exists(schema, to) && to.kind !== "other" ? `there is another ${objectText(to)}` : undefined;
}

/** What a statement makes, changes or drops is known by what would take it back. */
function cantRun(node: Node, schema: Schema): string | undefined {
  const drops = dropsObject(node);
  for (const undo of undoOf(node, { schema, write: writeSql })) {
    const problem = missing(undo.of, "drops" in undo && undo.drops === true, schema);
    if (problem !== undefined) return problem;
    const [user] = drops ? dependentsOf(undo.of, schema) : [];
    if (user !== undefined) return `${user} still uses ${objectText(undo.of)}`;
    const column = drops ? undefined : lostColumn(node, undo, schema);
    if (column !== undefined) return `column ${column} isn't there any more`;
  }
  return undefined;
}
/** A column that a statement names and that none of its tables has any more. */
function lostColumn(node: Node, { of, columns = [] }: Undo, schema: Schema): string | undefined {
  const query = "ViewStmt" in node || "CreateTableAsStmt" in node;
  const keys = query ? tablesRead(node).map(({ name }) => keyOf(name)) : [schema.indexes.get(of.key)?.table ?? of.key];
  const tables = keys.filter((key) => !query || key !== of.key).map((key) => schema.tables.get(key));
  if (tables.length === 0 || !tables.every((table) => table?.known)) return undefined;
  const named = query ? columnsMentioned(node) : columns;
  return [...named].find((name) => name !== "*" && !tables.some((table) => table?.columns.has(name)));
}

/** Whether a statement drops something, so that nothing may depend on it any more. */
function dropsObject(node: Node): boolean {
  if ("DropStmt" in node) return true;
  return (
    "AlterTableStmt" in node &&
    (node.AlterTableStmt.cmds ?? []).some(
      (item) => "AlterTableCmd" in item && /^AT_Drop(Column|Constraint)$/.test(item.AlterTableCmd.subtype ?? ""),
    )
  );
}

function missing(of: SchemaObject, makes: boolean, schema: Schema): string | undefined {
  if (makes && exists(schema, of) && of.kind !== "other") return `there is another ${objectText(of)}`;
  if (makes || isProperty(of)) return hasPlace(schema, of) ? undefined : `${objectText(of)} has no place any more`;
  return exists(schema, of) ? undefined : `${objectText(of)} isn't there any more`;
}
