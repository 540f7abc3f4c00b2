import type { Node } from "libpg-query";
import { type Name, nameOf, nameOfParts } from "../../migrations/sql/identifier";

/** Lists the tables whose rows or definition a statement changes. */
export function changedTables(node: Node): Name[] {
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
