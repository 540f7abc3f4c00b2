import type { Node } from "libpg-query";
import { keyOf, type Name, nameOf, nameOfParts } from "../../migrations/sql/identifier";
import { type Context, type JudgedStatement, tableText } from "./context";

/** Prisma's history; the migrator's own records are in the schema `_release`. */
const history = "_prisma_migrations";

/** Statements that change what belongs to Postgres itself, or to whoever runs the migrations. */
export function judgeSystemTables(statement: JudgedStatement, context: Context): void {
  for (const name of changed(statement.node)) {
    if (isCatalog(name, context))
      context.report(
        {
          rule: "catalog-write",
          classes: ["destructive", "unknown"],
          severity: "error",
          target: keyOf(name),
          what: `It changes ${tableText(name)}, a table of Postgres' own catalog, past all checks that the statements meant for it make.`,
          who: "Everybody: one wrong value makes tables unreadable. A managed server refuses it.",
          howLong: "for good",
          irreversible: "A damaged catalog can only be had back from a snapshot.",
          safe: { migrations: [], note: "ALTER TABLE and its kin do the same, with their checks." },
        },
        statement,
      );
    else if (isBookkeeping(name))
      context.report(
        {
          rule: "bookkeeping-write",
          classes: ["destructive", "history"],
          severity: "error",
          target: keyOf(name),
          what: `It changes ${tableText(name)}, in which the migrator records what is applied.`,
          who: "This release and each one after it: what is applied is no longer known.",
          howLong: "until the records are put right by hand",
          safe: { migrations: [], note: "Leave it out: `resolve` and `baseline` change the records." },
        },
        statement,
      );
  }
}

/** Tells whether the name is one of Postgres' own tables or views. */
export function isCatalog(name: Name, context: Context): boolean {
  if (name.schema !== undefined) return name.schema === "pg_catalog" || name.schema === "information_schema";
  return /^pg_/.test(name.name) && context.table(name)?.madeIn === undefined;
}

function isBookkeeping({ schema, name }: Name): boolean {
  return name === history || schema === "_release" || (schema === undefined && name === "_release");
}

/** Tables whose rows or definition a statement changes. */
function changed(node: Node): Name[] {
  if ("InsertStmt" in node) return relation(node.InsertStmt.relation);
  if ("UpdateStmt" in node) return relation(node.UpdateStmt.relation);
  if ("DeleteStmt" in node) return relation(node.DeleteStmt.relation);
  if ("MergeStmt" in node) return relation(node.MergeStmt.relation);
  if ("CopyStmt" in node) return node.CopyStmt.is_from ? relation(node.CopyStmt.relation) : [];
  if ("AlterTableStmt" in node) return relation(node.AlterTableStmt.relation);
  if ("RenameStmt" in node) return relation(node.RenameStmt.relation);
  if ("AlterObjectSchemaStmt" in node) return relation(node.AlterObjectSchemaStmt.relation);
  if ("TruncateStmt" in node)
    return (node.TruncateStmt.relations ?? []).flatMap((item) => ("RangeVar" in item ? relation(item.RangeVar) : []));
  if ("DropStmt" in node && /TABLE|SCHEMA/.test(node.DropStmt.removeType ?? ""))
    return (node.DropStmt.objects ?? []).map((object) => nameOfParts(object));
  return [];
}

function relation(item: Parameters<typeof nameOf>[0] | undefined): Name[] {
  return item ? [nameOf(item)] : [];
}
