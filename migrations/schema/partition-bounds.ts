import type { Node, PartitionBoundSpec, PartitionSpec } from "libpg-query";
import { columnNamed, columnOf, conjuncts, sameConstant } from "../sql/expression";
import { partsOf } from "../sql/identifier";
import type { Table } from "./objects";

/**
 * How far the checks of a table prove where its rows are; without a proof, Postgres reads all rows. `proven` means that
 * Postgres skips the scan; `possible`, that a check mentions the partition key but is written in another way, or that
 * the table's checks aren't known; `none`, that there is no such check.
 */
export type Proof = "proven" | "possible" | "none";

/** Whether all rows of a table that becomes a partition are inside the bounds of that partition. */
export function insideProof(
  table: Table | undefined,
  key: readonly string[] | undefined,
  bound: PartitionBoundSpec,
): Proof {
  return proof(table, key, (column, conditions) => {
    const set = (table?.columns.get(column)?.notNull ?? false) || conditions.some((item) => isNotNull(item, column));
    if (!set) return false;
    if (bound.listdatums)
      return conditions.some((item) => {
        const values = equalTo(item, column, "=");
        return values?.every((value) => bound.listdatums?.some((datum) => sameConstant(datum, value)));
      });
    const [lower] = bound.lowerdatums ?? [];
    const [upper] = bound.upperdatums ?? [];
    return (
      [lower, upper].every((datum) => datum !== undefined) &&
      (isOpen(lower) || conditions.some((item) => compares(item, column, ">=", lower))) &&
      (isOpen(upper) || conditions.some((item) => compares(item, column, "<", upper)))
    );
  });
}

/** Whether no row of the default partition is inside the bounds of a new partition. */
export function outsideProof(
  table: Table | undefined,
  key: readonly string[] | undefined,
  bound: PartitionBoundSpec,
): Proof {
  return proof(table, key, (column, conditions) => {
    if (bound.listdatums)
      return bound.listdatums.every((datum) =>
        conditions.some((item) => equalTo(item, column, "<>")?.some((value) => sameConstant(datum, value))),
      );
    const [lower] = bound.lowerdatums ?? [];
    const [upper] = bound.upperdatums ?? [];
    return conditions.some((item) => {
      const parts = "BoolExpr" in item && item.BoolExpr.boolop === "OR_EXPR" ? (item.BoolExpr.args ?? []) : [item];
      return parts.every((part) => compares(part, column, "<", lower) || compares(part, column, ">=", upper));
    });
  });
}

function proof(
  table: Table | undefined,
  key: readonly string[] | undefined,
  proves: (column: string, conditions: readonly Node[]) => boolean,
): Proof {
  const checks = (table?.constraints ?? []).filter(({ kind, valid }) => kind === "check" && valid);
  const conditions = checks.flatMap(({ expression }) => conjuncts(expression));
  const [column, ...others] = key ?? [];
  if (column !== undefined && others.length === 0 && proves(column, conditions)) return "proven";
  const about = checks.some(({ mentions = [] }) => key === undefined || key.some((item) => mentions.includes(item)));
  // If the history doesn't make the table, its checks aren't known.
  return about || !table?.known ? "possible" : "none";
}

function isNotNull(condition: Node, column: string): boolean {
  if (!("NullTest" in condition)) return false;
  const { nulltesttype, arg } = condition.NullTest;
  return nulltesttype === "IS_NOT_NULL" && arg !== undefined && columnOf(arg) === column;
}

/** The values in `column = 1` or `column IN (1, 2)`, and likewise in `<>` and NOT IN. */
function equalTo(condition: Node, column: string, operator: "=" | "<>"): Node[] | undefined {
  if (!("A_Expr" in condition)) return undefined;
  const { kind, name, lexpr, rexpr } = condition.A_Expr;
  if (partsOf(name).join() !== operator || !lexpr || !rexpr || columnOf(lexpr) !== column) return undefined;
  if (kind === "AEXPR_OP") return [rexpr];
  return kind === "AEXPR_IN" && "List" in rexpr ? rexpr.List.items : undefined;
}

function compares(condition: Node, column: string, operator: "<" | ">=", value: Node | undefined): boolean {
  if (!("A_Expr" in condition) || condition.A_Expr.kind !== "AEXPR_OP" || !value) return false;
  const { name, lexpr, rexpr } = condition.A_Expr;
  return (
    partsOf(name).join() === operator && lexpr !== undefined && columnOf(lexpr) === column && sameConstant(rexpr, value)
  );
}

/** Whether a bound is MINVALUE or MAXVALUE. */
function isOpen(datum: Node | undefined): boolean {
  return datum !== undefined && /^(min|max)value$/.test(columnOf(datum) ?? "");
}

/**
 * The columns by which a table is partitioned; undefined if an expression is among them or the table isn't partitioned.
 */
export function keyColumns(spec: PartitionSpec | undefined): string[] | undefined {
  const columns = (spec?.partParams ?? []).map((item) =>
    "PartitionElem" in item ? (item.PartitionElem.name ?? columnNamed(item.PartitionElem.expr)) : undefined,
  );
  return columns.every((column) => column !== undefined) && columns.length > 0 ? columns : undefined;
}
