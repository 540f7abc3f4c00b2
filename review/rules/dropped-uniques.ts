import type { Node } from "libpg-query";
import { constraintOf } from "../../migrations/schema/definition";
import { identifier, keyOf, type Name, nameOf, nameOfParts, partsOf } from "../../migrations/sql/identifier";
import { contractMark } from "../safe/words";
import { type Context, type JudgedStatement, tableText, target } from "./context";

/** `INSERT … ON CONFLICT (email)`, which is what an upsert becomes, needs a unique index on just these columns. */
export function judgeDroppedUniques(statement: JudgedStatement, context: Context): void {
  for (const { table, index, columns } of dropped(statement.node, context)) {
    context.droppedUniques.add(uniqueKey(table, columns));
    if (context.plan.contract || context.isNew(table) || columns.length === 0) continue;
    const same = (others: readonly string[]) => key(others) === key(columns);
    const another = context.schema
      .indexesOf(keyOf(table))
      .some((other) => other.unique && other.name.name !== index && same(other.columns));
    // What goes with its column is told there.
    const gone = columns.some((column) => context.droppedColumns.has(target(table, column)));
    if (another || gone || context.uniques.has(uniqueKey(table, columns))) continue;
    context.report(
      {
        rule: "drop-unique",
        classes: ["incompatible"],
        severity: "warning",
        target: target(table, index),
        what: `It takes the unique index on ${columns.map((column) => identifier(column)).join(", ")} of ${tableText(table)} away.`,
        who: "Pods of the old version fail at each upsert by these columns (INSERT … ON CONFLICT), and may write duplicates.",
        howLong: "until the rollout is complete",
        safe: {
          migrations: isAlone(statement.node) ? [`${contractMark}${statement.text};`] : [],
          note: "Marked `-- release: contract`, with or after the version that no longer needs it: it then runs when no old pod is left.",
        },
      },
      statement,
    );
  }
}

/** Unique indexes that a statement makes, by {@link uniqueKey}. */
export function uniquesMade(node: Node, context: Context): string[] {
  if ("IndexStmt" in node && node.IndexStmt.unique && node.IndexStmt.relation && !node.IndexStmt.whereClause) {
    const columns = (node.IndexStmt.indexParams ?? []).map((item) =>
      "IndexElem" in item ? (item.IndexElem.name ?? "") : "",
    );
    return [uniqueKey(nameOf(node.IndexStmt.relation), columns)];
  }
  if (!("AlterTableStmt" in node) || !node.AlterTableStmt.relation) return [];
  const name = nameOf(node.AlterTableStmt.relation);
  return (node.AlterTableStmt.cmds ?? []).flatMap((item) => {
    const def = "AlterTableCmd" in item ? item.AlterTableCmd.def : undefined;
    if (!def || !("Constraint" in def)) return [];
    const kind = def.Constraint.contype;
    if (kind !== "CONSTR_PRIMARY" && kind !== "CONSTR_UNIQUE") return [];
    const columns = def.Constraint.indexname
      ? (constraintOf(def.Constraint, name.name, context.schema)?.columns ?? [])
      : partsOf(def.Constraint.keys);
    return [uniqueKey(name, columns)];
  });
}

function isAlone(node: Node): boolean {
  if ("DropStmt" in node) return (node.DropStmt.objects ?? []).length === 1;
  return "AlterTableStmt" in node && (node.AlterTableStmt.cmds ?? []).length === 1;
}

interface DroppedUnique {
  readonly table: Name;
  readonly index: string;
  readonly columns: readonly string[];
}

function dropped(node: Node, context: Context): DroppedUnique[] {
  if ("DropStmt" in node && node.DropStmt.removeType === "OBJECT_INDEX")
    return (node.DropStmt.objects ?? []).flatMap((object) => {
      const index = context.schema.indexes.get(keyOf(nameOfParts(object)));
      const table = index?.unique ? context.schema.tables.get(index.table) : undefined;
      return index && table ? [{ table: table.name, index: index.name.name, columns: index.columns }] : [];
    });
  if (!("AlterTableStmt" in node) || !node.AlterTableStmt.relation) return [];
  const table = nameOf(node.AlterTableStmt.relation);
  return (node.AlterTableStmt.cmds ?? []).flatMap((item) => {
    if (!("AlterTableCmd" in item) || item.AlterTableCmd.subtype !== "AT_DropConstraint") return [];
    const { name = "" } = item.AlterTableCmd;
    const found = context.table(table)?.constraints.find((constraint) => constraint.name === name);
    return found?.kind === "unique" || found?.kind === "primary"
      ? [{ table, index: name, columns: found.columns }]
      : [];
  });
}

function key(columns: readonly string[]): string {
  return JSON.stringify([...columns].sort());
}

/** The order of the columns says nothing about what is unique. */
export function uniqueKey(table: Name, columns: readonly string[]): string {
  return `${keyOf(table)} ${key(columns)}`;
}
