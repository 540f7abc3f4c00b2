import type { Node } from "libpg-query";
import { constraintOf } from "../../migrations/schema/definition";
import type { Schema } from "../../migrations/schema/schema";
import { keyOf, type Name, nameOf, nameOfParts, partsOf } from "../../migrations/sql/identifier";
import { commandsOf } from "./commands";

/** A unique index that a statement drops. */
export interface DroppedUnique {
  readonly table: Name;
  readonly index: string;
  readonly columns: readonly string[];
}

/** Lists the unique indexes that a statement makes, as texts of {@link uniqueKey}. */
export function uniquesMade(node: Node, schema: Schema): string[] {
  if ("IndexStmt" in node && node.IndexStmt.unique && node.IndexStmt.relation && !node.IndexStmt.whereClause) {
    const columns = (node.IndexStmt.indexParams ?? []).map((item) =>
      "IndexElem" in item ? (item.IndexElem.name ?? "") : "",
    );
    return [uniqueKey(nameOf(node.IndexStmt.relation), columns)];
  }
  return commandsOf(node).flatMap(({ table, cmd: { def } }) => {
    if (!def || !("Constraint" in def)) return [];
    const kind = def.Constraint.contype;
    if (kind !== "CONSTR_PRIMARY" && kind !== "CONSTR_UNIQUE") return [];
    const columns = def.Constraint.indexname
      ? (constraintOf(def.Constraint, table.name, schema)?.columns ?? [])
      : partsOf(def.Constraint.keys);
    return [uniqueKey(table, columns)];
  });
}

/** Lists the unique indexes that a statement drops, either directly or with their constraint. */
export function uniquesDropped(node: Node, schema: Schema): DroppedUnique[] {
  if ("DropStmt" in node && node.DropStmt.removeType === "OBJECT_INDEX")
    return (node.DropStmt.objects ?? []).flatMap((object) => {
      const index = schema.indexes.get(keyOf(nameOfParts(object)));
      const table = index?.unique ? schema.tables.get(index.table) : undefined;
      return index && table ? [{ table: table.name, index: index.name.name, columns: index.columns }] : [];
    });
  return commandsOf(node).flatMap(({ table, cmd: { subtype, name = "" } }) => {
    if (subtype !== "AT_DropConstraint") return [];
    const found = schema.table(table)?.constraints.find((constraint) => constraint.name === name);
    return found?.kind === "unique" || found?.kind === "primary"
      ? [{ table, index: name, columns: found.columns }]
      : [];
  });
}

/**
 * Returns the key of a unique index. It is the same for two indexes of a table on the same columns in any order,
 * because the order doesn't matter for uniqueness.
 */
export function uniqueKey(table: Name, columns: readonly string[]): string {
  return `${keyOf(table)} ${JSON.stringify([...columns].sort())}`;
}
