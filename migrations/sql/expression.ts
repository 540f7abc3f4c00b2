import type { Node } from "libpg-query";
import { partsOf } from "./identifier";

/** The conditions that must all hold, which are the operands of AND. */
export function conjuncts(condition: Node | undefined): Node[] {
  if (!condition) return [];
  if ("BoolExpr" in condition && condition.BoolExpr.boolop === "AND_EXPR")
    return (condition.BoolExpr.args ?? []).flatMap(conjuncts);
  return [condition];
}

/** The name of the column, if the expression is just a column, perhaps with casts. */
export function columnOf(node: Node): string | undefined {
  if ("TypeCast" in node) return node.TypeCast.arg && columnOf(node.TypeCast.arg);
  return "ColumnRef" in node ? partsOf(node.ColumnRef.fields).at(-1) : undefined;
}

/**
 * The name of the column, if the expression is `(column)` or `(column COLLATE "C")`,
 * which Postgres treats as the column itself.
 */
export function columnNamed(node: Node | undefined): string | undefined {
  if (node && "CollateClause" in node) return columnNamed(node.CollateClause.arg);
  return node && "ColumnRef" in node ? partsOf(node.ColumnRef.fields).at(-1) : undefined;
}

/** Whether an expression is a constant, with or without casts. */
export function isConstant(node: Node | undefined): boolean {
  if (!node) return false;
  return "A_Const" in node || ("TypeCast" in node && isConstant(node.TypeCast.arg));
}

/** Whether two constants are written alike; casts are ignored. */
export function sameConstant(a: Node | undefined, b: Node | undefined): boolean {
  return isConstant(a) && isConstant(b) && treeText(uncast(a)) === treeText(uncast(b));
}

function uncast(node: Node | undefined): Node | undefined {
  return node && "TypeCast" in node ? uncast(node.TypeCast.arg) : node;
}

/** A syntax tree as text, without the positions in the file. Two trees that are written alike have the same text. */
export function treeText(node: unknown): string {
  return (
    JSON.stringify(node, (key, value) => (/^(location|rexpr_list_(start|end))$/.test(key) ? undefined : value)) ?? ""
  );
}
