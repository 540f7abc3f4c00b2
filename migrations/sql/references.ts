import type { ExplainStmt, Node } from "libpg-query";
import { optionOf } from "./constant";
import { keyOf, type Name, nameOf, partsOf } from "./identifier";

/** Tables that the queries in a statement read; `update` where it locks the rows (FOR UPDATE and its kin). */
export function tablesRead(node: Node): { name: Name; update: boolean }[] {
  const found = new Map<string, { name: Name; update: boolean }>();
  const withNames = new Set<string>();
  const read = (value: unknown, update: boolean): void => {
    if (value === null || typeof value !== "object") return;
    let locks = update;
    if (isNode(value)) {
      if ("CommonTableExpr" in value) withNames.add(value.CommonTableExpr.ctename ?? "");
      if ("SelectStmt" in value && (value.SelectStmt.lockingClause ?? []).length > 0) locks = true;
      if ("RangeVar" in value) {
        const name = nameOf(value.RangeVar);
        if (name.schema !== undefined || !withNames.has(name.name)) found.set(keyOf(name), { name, update });
        return;
      }
    }
    for (const child of Object.values(value)) read(child, locks);
  };
  if (
    ![
      "SelectStmt",
      "InsertStmt",
      "UpdateStmt",
      "DeleteStmt",
      "MergeStmt",
      "CreateTableAsStmt",
      "ViewStmt",
      "CopyStmt",
    ].some((tag) => tag in node)
  )
    return [];
  // WITH first: its names aren't tables.
  read(node, false);
  return [...found.values()].filter(({ name }) => name.schema !== undefined || !withNames.has(name.name));
}

/** Names of the columns that a query mentions, of whatever table; `*` for all of them. */
export function columnsMentioned(node: object): Set<string> {
  const found = new Set<string>();
  walk(node, (each) => {
    if ("A_Star" in each) found.add("*");
    if ("ColumnRef" in each) found.add(partsOf(each.ColumnRef.fields).at(-1) ?? "*");
  });
  return found;
}

/**
 * The changes that a statement makes inside: `WITH gone AS (DELETE FROM a RETURNING *) SELECT …`, `COPY (DELETE …) TO …`,
 * `EXPLAIN ANALYZE DELETE …`.
 */
export function changesWithin(node: Node): Node[] {
  const found: Node[] = [];
  const whole =
    "CopyStmt" in node ? node.CopyStmt.query : "ExplainStmt" in node ? analyzed(node.ExplainStmt) : undefined;
  if (whole && isChange(whole)) found.push(whole);
  if (
    !["SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CreateTableAsStmt"].some(
      (tag) => tag in node,
    ) &&
    !whole
  )
    return found;
  walk(node, (each) => {
    const query = "CommonTableExpr" in each ? each.CommonTableExpr.ctequery : undefined;
    if (query && isChange(query)) found.push(query);
  });
  return found;
}

function isChange(query: Node): boolean {
  return "DeleteStmt" in query || "UpdateStmt" in query || "InsertStmt" in query || "MergeStmt" in query;
}

/** What EXPLAIN runs; without ANALYZE it runs nothing. */
export function analyzed({ query, options }: ExplainStmt): Node | undefined {
  return optionOf(options, "analyze") && query;
}

/** The functions that a statement calls, wherever in it; by name, with the schema where one is written that isn't Postgres' own. */
export function callsOf(tree: object): { name: string; args: Node[] }[] {
  const found: { name: string; args: Node[] }[] = [];
  walk(tree, (each) => {
    if (!("FuncCall" in each)) return;
    const { funcname, args = [] } = each.FuncCall;
    const parts = partsOf(funcname);
    found.push({ name: (parts[0] === "pg_catalog" ? parts.slice(1) : parts).join("."), args });
  });
  return found;
}

/** Names that the WITH parts of a statement give to queries: they aren't tables. */
export function namedQueries(node: Node): Set<string> {
  const found = new Set<string>();
  walk(node, (each) => {
    if ("CommonTableExpr" in each) found.add(each.CommonTableExpr.ctename ?? "");
  });
  return found;
}

/** Visits every node in a tree, each before what is in it. */
export function walk(value: unknown, visit: (node: Node) => void): void {
  if (value === null || typeof value !== "object") return;
  if (isNode(value)) visit(value);
  for (const child of Object.values(value)) walk(child, visit);
}

/** Whether any node in a tree is as asked for. */
export function some(value: unknown, is: (node: Node) => boolean): boolean {
  if (value === null || typeof value !== "object") return false;
  if (isNode(value) && is(value)) return true;
  return Object.values(value).some((child) => some(child, is));
}

/** The grammar wraps each node in an object with its tag, `{ RangeVar: … }`; tags begin with a capital, and fields don't. */
export function isNode(value: object): value is Node {
  for (const key in value) return /^[A-Z]/.test(key);
  return false;
}
