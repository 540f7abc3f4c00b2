import { type Node, parseSync } from "libpg-query";
import { integerOf } from "../migrations/sql/constant";
import { treeText } from "../migrations/sql/expression";
import { partsOf } from "../migrations/sql/identifier";

/** A column's default in a form in which it can be compared. */
export type Default =
  | { readonly kind: "none" | "sequence" | "now" }
  | { readonly kind: "value"; readonly value: string }
  | { readonly kind: "list"; readonly values: readonly string[] }
  | { readonly kind: "expression"; readonly tree: string; readonly text: string }
  /** The default isn't known, for the given reason. */
  | { readonly kind: "unknown"; readonly why: string };

/** Reads the default of a column from a syntax tree. */
export function defaultOf(expression: Node | undefined): Default {
  const node = uncast(expression);
  if (!node) return { kind: "none" };
  const value = constantOf(node);
  if (value === null) return { kind: "none" };
  if (value !== undefined) return { kind: "value", value };
  const values = listOf(node);
  if (values) return { kind: "list", values };
  if (isNow(node)) return { kind: "now" };
  if (callName(node) === "nextval") return { kind: "sequence" };
  return { kind: "expression", tree: treeText(bare(node)), text: "an expression" };
}

/** Reads the default that `dbgenerated("…")` gives as SQL. */
export function defaultOfSql(sql: string): Default {
  try {
    const [statement] = parseSync(`SELECT ${sql}`).stmts ?? [];
    const select = statement?.stmt && "SelectStmt" in statement.stmt ? statement.stmt.SelectStmt : undefined;
    const [target] = select?.targetList ?? [];
    if (target && "ResTarget" in target) return named(defaultOf(target.ResTarget.val), sql);
  } catch {
    // The reason is the same as for SQL of another form.
  }
  return { kind: "unknown", why: `\`${sql}\` isn't an expression of SQL` };
}

function named(found: Default, text: string): Default {
  return found.kind === "expression" ? { ...found, text: `\`${text}\`` } : found;
}

/** The expression without the casts around it. */
function uncast(node: Node | undefined): Node | undefined {
  return node && "TypeCast" in node ? uncast(node.TypeCast.arg) : node;
}

/** The text of a constant; null for NULL, undefined for what is no constant. */
function constantOf(node: Node): string | null | undefined {
  if (
    "A_Expr" in node &&
    node.A_Expr.kind === "AEXPR_OP" &&
    !node.A_Expr.lexpr &&
    partsOf(node.A_Expr.name)[0] === "-"
  ) {
    const value = node.A_Expr.rexpr && constantOf(node.A_Expr.rexpr);
    return value == null ? undefined : `-${value}`;
  }
  if ("TypeCast" in node) return node.TypeCast.arg && constantOf(node.TypeCast.arg);
  if (!("A_Const" in node)) return undefined;
  const { isnull, boolval, fval, ival } = node.A_Const;
  if (isnull) return null;
  if (boolval) return String(boolval.boolval === true);
  if (fval) return fval.fval ?? "0";
  if (ival) return String(integerOf(node) ?? 0);
  return node.A_Const.sval ? (node.A_Const.sval.sval ?? "") : undefined;
}

/** The texts in `ARRAY[…]` or `'{…}'`; undefined for other expressions. */
function listOf(node: Node): string[] | undefined {
  if (!("A_ArrayExpr" in node)) return undefined;
  const values = (node.A_ArrayExpr.elements ?? []).map((each) => constantOf(each));
  return values.every((value) => typeof value === "string") ? values : undefined;
}

function isNow(node: Node): boolean {
  if ("SQLValueFunction" in node) return /^SVFOP_CURRENT_TIMESTAMP/.test(node.SQLValueFunction.op ?? "");
  return callName(node) === "now" || callName(node) === "transaction_timestamp";
}

function callName(node: Node): string | undefined {
  return "FuncCall" in node ? partsOf(node.FuncCall.funcname).at(-1) : undefined;
}

/** A tree in which neither casts nor the schemas of Postgres' own functions are written. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== "object" || value === null) return value;
  if ("TypeCast" in value && typeof value.TypeCast === "object" && value.TypeCast !== null && "arg" in value.TypeCast)
    return bare(value.TypeCast.arg);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "location" && key !== "funcformat")
      .map(([key, each]) => [key, key === "funcname" && Array.isArray(each) ? bare(each.slice(-1)) : bare(each)]),
  );
}
