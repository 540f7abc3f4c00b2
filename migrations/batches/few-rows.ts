import type { Node } from "libpg-query";
import type { Schema } from "../schema/schema";
import { booleanOf } from "../sql/constant";
import { columnOf, conjuncts, isConstant, sameConstant } from "../sql/expression";
import { keyOf, nameOf, partsOf } from "../sql/identifier";

/** The largest number of rows that still counts as few. */
const few = 1000;

/** Whether a WHERE clause accepts every row: there is none, or it is TRUE, `1 = 1` or similar. */
export function isAlways(where: Node | undefined): boolean {
  if (!where) return true;
  if ("A_Expr" in where) {
    const { kind, name, lexpr, rexpr } = where.A_Expr;
    return kind === "AEXPR_OP" && partsOf(name).join() === "=" && sameConstant(lexpr, rexpr);
  }
  if (!("BoolExpr" in where)) return booleanOf(where) === true;
  const { boolop, args = [] } = where.BoolExpr;
  if (boolop === "NOT_EXPR") return booleanOf(args[0]) === false;
  return boolop === "AND_EXPR" ? args.every(isAlways) : args.some(isAlways);
}

/**
 * Whether an UPDATE or DELETE selects its rows by a key with constants: `WHERE id IN (1, 2)`, or a join with VALUES. A
 * column named `id` is assumed to be a key, even where the history doesn't show an index.
 */
export function namesItsRows(node: Node, schema: Schema): boolean {
  const change = "UpdateStmt" in node ? node.UpdateStmt : "DeleteStmt" in node ? node.DeleteStmt : undefined;
  if (!change?.relation) return false;
  const from = "fromClause" in change ? change.fromClause : "usingClause" in change ? change.usingClause : undefined;
  const counts = new Map<string, number>();
  for (const condition of conjuncts(change.whereClause)) {
    const found = equated(condition, from ?? []);
    if (found) counts.set(found.column, Math.min(found.count, counts.get(found.column) ?? found.count));
  }
  const keys = schema
    .indexesOf(keyOf(nameOf(change.relation)))
    .filter(({ unique, partial }) => unique && !partial)
    .map(({ columns }) => columns);
  return [...keys, ["id"], ["ID"], ["Id"]].some(
    (columns) =>
      columns.length > 0 &&
      columns.every((column) => counts.has(column)) &&
      columns.reduce((product, column) => product * (counts.get(column) ?? 1), 1) <= few,
  );
}

/**
 * The column that a condition compares with constants, and the number of these: `column = 1`, `column IN (1, 2)`,
 * `column = ANY (ARRAY[1, 2])`, or `column = v.column` for a list of VALUES.
 */
function equated(condition: Node, from: readonly Node[]): { column: string; count: number } | undefined {
  if (!("A_Expr" in condition)) return undefined;
  const { kind, name, lexpr, rexpr } = condition.A_Expr;
  if (partsOf(name).join() !== "=" || !lexpr || !rexpr) return undefined;
  if (kind === "AEXPR_OP")
    for (const [one, other] of [
      [lexpr, rexpr],
      [rexpr, lexpr],
    ] as const) {
      const column = columnOf(one);
      const count = isConstant(other) ? 1 : valuesOf(other, from);
      if (column !== undefined && count !== undefined) return { column, count };
    }
  const column = columnOf(lexpr);
  const list =
    kind === "AEXPR_IN" && "List" in rexpr
      ? (rexpr.List.items ?? [])
      : kind === "AEXPR_OP_ANY" && "A_ArrayExpr" in rexpr
        ? (rexpr.A_ArrayExpr.elements ?? [])
        : [];
  return column !== undefined && list.length > 0 && list.every(isConstant) ? { column, count: list.length } : undefined;
}

/** The number of rows in the list of VALUES to which a column belongs. */
function valuesOf(node: Node, from: readonly Node[]): number | undefined {
  const table = "ColumnRef" in node ? partsOf(node.ColumnRef.fields).at(-2) : undefined;
  for (const item of from) {
    if (!("RangeSubselect" in item) || item.RangeSubselect.alias?.aliasname !== table) continue;
    const query = item.RangeSubselect.subquery;
    const rows = query && "SelectStmt" in query ? (query.SelectStmt.valuesLists ?? []).length : 0;
    if (rows > 0) return rows;
  }
  return undefined;
}
