import type { Node, SelectStmt } from "libpg-query";
import { keyOf, nameOf, nameOfParts, partsOf } from "../sql/identifier";
import { wholeSetClause } from "../sql/whole-sets";
import type { Schema } from "./schema";

type View = Extract<Node, { ViewStmt: unknown }>["ViewStmt"];

/** The names of a view's columns, in their order; undefined where the history doesn't show all of them. */
export function viewColumns({ query, aliases }: View, schema: Schema): string[] | undefined {
  if (aliases) return partsOf(aliases);
  const select = query && "SelectStmt" in query ? query.SelectStmt : undefined;
  if (!select || select.larg) return undefined;
  const columns = (select.targetList ?? []).map((item) => {
    const { name, val } = "ResTarget" in item ? item.ResTarget : {};
    if (name !== undefined) return [name];
    if (val && "FuncCall" in val) return [nameOfParts(val.FuncCall.funcname).name];
    if (!val || !("ColumnRef" in val)) return undefined;
    const star = (val.ColumnRef.fields ?? []).some((field) => "A_Star" in field);
    return star ? allColumns(select, schema) : partsOf(val.ColumnRef.fields).slice(-1);
  });
  return columns.every((each) => each !== undefined) ? columns.flat() : undefined;
}

function allColumns({ fromClause = [] }: SelectStmt, schema: Schema): string[] | undefined {
  const [from, ...more] = fromClause;
  const table = from && "RangeVar" in from && more.length === 0 ? schema.table(nameOf(from.RangeVar)) : undefined;
  return table?.known ? [...table.columns.keys()] : undefined;
}

/**
 * The keys of a view and its table, if the view shows all columns and all rows of that one table, so that reads and
 * writes pass through it; undefined otherwise.
 */
export function standIn(
  node: Node,
  columns: (table: string) => readonly string[],
): { view: string; table: string } | undefined {
  if (!("ViewStmt" in node) || !node.ViewStmt.view || node.ViewStmt.aliases) return undefined;
  const { query } = node.ViewStmt;
  const select = query && "SelectStmt" in query ? query.SelectStmt : undefined;
  const [from, ...more] = select?.fromClause ?? [];
  if (!select || !from || !("RangeVar" in from) || more.length > 0) return undefined;
  if (select.whereClause || select.withClause || wholeSetClause(select)) return undefined;
  const table = keyOf(nameOf(from.RangeVar));
  const shown = (select.targetList ?? []).flatMap((item) => {
    const { name, val } = "ResTarget" in item ? item.ResTarget : {};
    if (!val || !("ColumnRef" in val)) return [];
    if ((val.ColumnRef.fields ?? []).some((field) => "A_Star" in field)) return columns(table);
    return [name ?? partsOf(val.ColumnRef.fields).at(-1) ?? ""];
  });
  const all = columns(table);
  return all.length > 0 && all.every((column) => shown.includes(column))
    ? { view: keyOf(nameOf(node.ViewStmt.view)), table }
    : undefined;
}
