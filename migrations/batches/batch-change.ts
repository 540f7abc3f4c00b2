import type { Node, RangeVar } from "libpg-query";
import { type Name, nameOf, nameOfParts } from "../sql/identifier";
import { isNode } from "../sql/references";
import { wholeSetClause } from "../sql/whole-sets";

/** A statement that changes rows, reduced to what a batch needs. */
export interface BatchChange {
  readonly kind: "update" | "delete" | "insert";
  /** The table to which the statement writes. */
  readonly written: Name;
  /** The table whose key is walked: the one that is changed, or the first table that INSERT … SELECT reads. */
  readonly walked: RangeVar;
  /** The columns that get another value. */
  readonly assigned: readonly string[];
}

/** The table whose key a batch of this statement walks; undefined if no batch can be made of it. */
export function walkedTable(node: Node): RangeVar | undefined {
  const change = changeOf(node);
  return "problem" in change ? undefined : change.walked;
}

/** What a statement changes, or the reason why no batch can be made of it. */
export function changeOf(node: Node): BatchChange | { problem: string } {
  const begin = "can't be cut";
  if ("UpdateStmt" in node || "DeleteStmt" in node) {
    const { relation, withClause } = "UpdateStmt" in node ? node.UpdateStmt : node.DeleteStmt;
    if (withClause) return { problem: `${begin}: it begins with WITH` };
    if (relation) {
      const assigned = "UpdateStmt" in node ? resultNames(node.UpdateStmt.targetList) : [];
      return {
        kind: "UpdateStmt" in node ? "update" : "delete",
        written: nameOf(relation),
        walked: relation,
        assigned,
      };
    }
  }
  const insert = "InsertStmt" in node ? node.InsertStmt : undefined;
  const select = insert?.selectStmt && "SelectStmt" in insert.selectStmt ? insert.selectStmt.SelectStmt : undefined;
  if (!insert?.relation || !select) return { problem: "is no UPDATE, DELETE or INSERT … SELECT" };
  if (insert.withClause || select.withClause) return { problem: `${begin}: it begins with WITH` };
  const clause =
    wholeSetClause(select) ?? (select.targetList ?? []).map(wholeSetCall).find((each) => each !== undefined);
  if (clause !== undefined) return { problem: `${begin}: a SELECT with ${clause} depends on all rows at once` };
  const walked = leftmost(select.fromClause?.[0]);
  if (!walked)
    return { problem: `${begin}: it needs a plain table as the first one after FROM, whose key can be walked` };
  return { kind: "insert", written: nameOf(insert.relation), walked, assigned: resultNames(insert.cols) };
}

function resultNames(targets: readonly Node[] | undefined): string[] {
  return (targets ?? []).flatMap((item) => ("ResTarget" in item ? (item.ResTarget.name ?? []) : []));
}

/**
 * The first table of a FROM item, through inner and left joins. Other joins can add rows that don't come from that
 * table, so their result is undefined.
 */
function leftmost(from: Node | undefined): RangeVar | undefined {
  if (!from) return undefined;
  if ("RangeVar" in from) return from.RangeVar;
  if (!("JoinExpr" in from)) return undefined;
  const { jointype, larg } = from.JoinExpr;
  return jointype === "JOIN_INNER" || jointype === "JOIN_LEFT" ? leftmost(larg) : undefined;
}

const aggregates = new Set(
  (
    "count sum min max avg array_agg string_agg json_agg jsonb_agg json_object_agg jsonb_object_agg xmlagg bool_and bool_or every bit_and " +
    "bit_or bit_xor stddev stddev_pop stddev_samp variance var_pop var_samp corr percentile_cont percentile_disc mode range_agg any_value"
  ).split(" "),
);

/** The first aggregate or window function in a list of columns; those in subqueries don't count. */
function wholeSetCall(value: unknown): string | undefined {
  if (value === null || typeof value !== "object") return undefined;
  if (isNode(value) && "SubLink" in value) return undefined;
  if (isNode(value) && "FuncCall" in value) {
    const { funcname, over } = value.FuncCall;
    const { name } = nameOfParts(funcname);
    if (over !== undefined || aggregates.has(name)) return `${name}()${over === undefined ? "" : " OVER"}`;
  }
  for (const child of Object.values(value)) {
    const inside = wholeSetCall(child);
    if (inside !== undefined) return inside;
  }
  return undefined;
}
