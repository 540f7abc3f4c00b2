import { type Node, parseSync } from "libpg-query";
import type { Schema } from "../schema/schema";
import { columnType } from "../sql/column-type";
import { textOf } from "../sql/constant";
import { keyOf, nameOf, nameOfParts, partsOf } from "../sql/identifier";
import { some } from "../sql/references";

/** A value that ALTER TYPE … ADD VALUE adds. */
export interface AddedValue {
  /** The key of the enum. */
  readonly type: string;
  readonly value: string;
}

/**
 * Whether a statement uses a value of an enum, which Postgres refuses until the value is committed (SQLSTATE 55P04).
 * The same text as a value of another type, in a comment or in a function's body is not such a use.
 * @param tables the keys of the tables that the statement touches
 */
export function usesEnumValue(
  { node, text }: { node: Node; text: string },
  tables: readonly string[],
  { type, value }: AddedValue,
  schema: Schema,
): boolean {
  if (!text.includes(value.replaceAll("'", "''")) || "CreateFunctionStmt" in node || "AlterEnumStmt" in node)
    return false;
  const isEnum = (column: string) =>
    tables.some((key) => schema.tables.get(key)?.columns.get(column)?.type?.name === type);
  const constant = (item: Node | undefined): boolean => {
    if (!item) return false;
    if ("List" in item) return (item.List.items ?? []).some(constant);
    if ("CaseExpr" in item)
      return [
        item.CaseExpr.defresult,
        ...(item.CaseExpr.args ?? []).map((each) => ("CaseWhen" in each ? each.CaseWhen.result : undefined)),
      ].some(constant);
    return "A_Const" in item && item.A_Const.sval?.sval === value;
  };
  const column = (item: Node | undefined) =>
    item !== undefined && "ColumnRef" in item && isEnum(partsOf(item.ColumnRef.fields).at(-1) ?? "");
  const together = (items: readonly (Node | undefined)[]) => items.some(column) && items.some(constant);

  const uses = (item: Node): boolean => {
    if ("TypeCast" in item) {
      const named = columnType(item.TypeCast.typeName);
      return (
        named?.name === type &&
        (constant(item.TypeCast.arg) ||
          (named.array > 0 && some(item.TypeCast.arg, (each) => (textOf(each) ?? "").includes(value))))
      );
    }
    if ("A_Expr" in item) return together([item.A_Expr.lexpr, item.A_Expr.rexpr]);
    if ("CoalesceExpr" in item) return together(item.CoalesceExpr.args ?? []);
    if ("CaseExpr" in item)
      return together([
        item.CaseExpr.arg,
        ...(item.CaseExpr.args ?? []).map((each) => ("CaseWhen" in each ? each.CaseWhen.expr : undefined)),
      ]);
    if ("ResTarget" in item) return isEnum(item.ResTarget.name ?? "") && constant(item.ResTarget.val);
    if ("ColumnDef" in item)
      return (
        columnType(item.ColumnDef.typeName)?.name === type &&
        (item.ColumnDef.constraints ?? []).some((each) => "Constraint" in each && constant(each.Constraint.raw_expr))
      );
    if ("AlterTableCmd" in item) return isEnum(item.AlterTableCmd.name ?? "") && constant(item.AlterTableCmd.def);
    return "InsertStmt" in item && insertUses(item.InsertStmt, isEnum, constant, schema);
  };
  return some(whole(node, text), uses);
}

/**
 * Parses an INSERT again. The review keeps one syntax tree for all plain INSERTs into a
 * table, but here each one's own values matter.
 */
function whole(node: Node, text: string): Node {
  if (!("InsertStmt" in node) || node.InsertStmt.selectStmt) return node;
  return parseSync(text).stmts?.[0]?.stmt ?? node;
}

type Insert = Extract<Node, { InsertStmt: unknown }>["InsertStmt"];

function insertUses(
  { relation, cols, selectStmt }: Insert,
  isEnum: (column: string) => boolean,
  constant: (item: Node | undefined) => boolean,
  schema: Schema,
): boolean {
  if (!relation || !selectStmt || !("SelectStmt" in selectStmt)) return false;
  const columns = cols
    ? cols.map((each) => ("ResTarget" in each ? (each.ResTarget.name ?? "") : ""))
    : [...(schema.table(nameOf(relation))?.columns.keys() ?? [])];
  const { valuesLists = [], targetList = [] } = selectStmt.SelectStmt;
  const rows = valuesLists.map((each) => ("List" in each ? (each.List.items ?? []) : []));
  const selected = targetList.map((each) => ("ResTarget" in each ? (each.ResTarget.val ?? each) : each));
  return [...rows, selected].some((row) => row.some((item, at) => isEnum(columns[at] ?? "") && constant(item)));
}

/** The value that a statement adds to an enum that an earlier migration made; undefined for any other statement. */
export function addedValue(node: Node, schema: Schema, migration: string): AddedValue | undefined {
  if (!("AlterEnumStmt" in node)) return undefined;
  const { typeName, oldVal, newVal } = node.AlterEnumStmt;
  const type = keyOf(nameOfParts(typeName));
  if (newVal === undefined || oldVal !== undefined || schema.made.get(type) === migration) return undefined;
  return { type, value: newVal };
}
