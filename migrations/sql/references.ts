import type { ExplainStmt, Node } from "libpg-query";
import { optionOf } from "./constant";
import { keyOf, type Name, nameOf, partsOf } from "./identifier";

/**
 * The tables that the queries in a statement read. `update` is true where the query
 * locks the rows (FOR UPDATE, FOR SHARE and so on).
 */
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
  // The whole tree is read before the filter, because the names of WITH
  // queries, which aren't tables, may be found late.
  read(node, false);
  return [...found.values()].filter(({ name }) => name.schema !== undefined || !withNames.has(name.name));
}

/** The names of the columns that a query mentions, of any table; `*` stands for all columns. */
export function columnsMentioned(node: object): Set<string> {
  const found = new Set<string>();
  walk(node, (each) => {
    if ("A_Star" in each) found.add("*");
    if ("ColumnRef" in each) found.add(partsOf(each.ColumnRef.fields).at(-1) ?? "*");
  });
  return found;
}

/**
 * The data changes inside a statement: `WITH gone AS (DELETE FROM a RETURNING *) SELECT …`,
 * `COPY (DELETE …) TO …`, `EXPLAIN ANALYZE DELETE …`.
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

/** The statement that EXPLAIN ANALYZE runs; undefined without ANALYZE, when nothing runs. */
export function analyzed({ query, options }: ExplainStmt): Node | undefined {
  return optionOf(options, "analyze") && query;
}

/** Every function call in a statement. The name has a schema where one is written, except for pg_catalog. */
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

/** The names that the WITH clauses of a statement give to queries. They aren't tables. */
export function namedQueries(node: Node): Set<string> {
  const found = new Set<string>();
  walk(node, (each) => {
    if ("CommonTableExpr" in each) found.add(each.CommonTableExpr.ctename ?? "");
  });
  return found;
}

/** Visits every node in a tree; a parent is visited before its children. */
export function walk(value: unknown, visit: (node: Node) => void): void {
  if (value === null || typeof value !== "object") return;
  if (isNode(value)) visit(value);
  for (const child of Object.values(value)) walk(child, visit);
}

/** Whether any node in a tree meets the condition `is`. */
export function some(value: unknown, is: (node: Node) => boolean): boolean {
  if (value === null || typeof value !== "object") return false;
  if (isNode(value) && is(value)) return true;
  return Object.values(value).some((child) => some(child, is));
}

/**
 * Whether an object is a node. The parser wraps each node in an object with its tag, as in `{ RangeVar: … }`. Tags
 * begin with a capital letter, and names of fields don't.
 */
export function isNode(value: object): value is Node {
  for (const key in value) return /^[A-Z]/.test(key);
  return false;
}
