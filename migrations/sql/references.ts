import type { Node } from "libpg-query";
import { keyOf, type Name, nameOf, partsOf } from "./identifier";

/** Tables that the queries in a statement read; `update` where it locks the rows (FOR UPDATE and its kin). */
export function tablesRead(node: Node): { name: Name; update: boolean }[] {
  const found = new Map<string, { name: Name; update: boolean }>();
  const withNames = new Set<string>();
  const read = (value: unknown, update: boolean): void => {
    if (value === null || typeof value !== "object") return;
    for (const [key, child] of Object.entries(value)) {
      if (key === "CommonTableExpr") withNames.add((child as { ctename?: string }).ctename ?? "");
      if (key === "RangeVar") {
        const name = nameOf(child as Parameters<typeof nameOf>[0]);
        if (name.schema !== undefined || !withNames.has(name.name)) found.set(keyOf(name), { name, update });
      } else {
        const locks = key === "SelectStmt" && ((child as { lockingClause?: unknown[] }).lockingClause ?? []).length > 0;
        read(child, update || locks);
      }
    }
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
export function columnsMentioned(node: Node): Set<string> {
  const found = new Set<string>();
  walk(node, (key, child) => {
    if (key === "A_Star") found.add("*");
    if (key === "ColumnRef") found.add(partsOf((child as { fields?: Node[] }).fields).at(-1) ?? "*");
  });
  return found;
}

/**
 * The changes that a statement makes inside: `WITH gone AS (DELETE FROM a RETURNING *) SELECT …`, `COPY (DELETE …) TO …`,
 * `EXPLAIN ANALYZE DELETE …`.
 */
export function changesWithin(node: Node): Node[] {
  const found: Node[] = [];
  const whole = "CopyStmt" in node ? node.CopyStmt.query : "ExplainStmt" in node ? analyzed(node) : undefined;
  if (whole && isChange(whole)) found.push(whole);
  if (
    !["SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CreateTableAsStmt"].some(
      (tag) => tag in node,
    ) &&
    !whole
  )
    return found;
  walk(node, (key, child) => {
    const query = key === "CommonTableExpr" ? (child as { ctequery?: Node }).ctequery : undefined;
    if (query && isChange(query)) found.push(query);
  });
  return found;
}

function isChange(query: Node): boolean {
  return "DeleteStmt" in query || "UpdateStmt" in query || "InsertStmt" in query || "MergeStmt" in query;
}

/** What EXPLAIN runs; without ANALYZE it runs nothing. */
export function analyzed({
  ExplainStmt: { query, options },
}: Extract<Node, { ExplainStmt: unknown }>): Node | undefined {
  const runs = (options ?? []).some((item) => "DefElem" in item && item.DefElem.defname === "analyze");
  return runs ? query : undefined;
}

/** The functions that a statement calls, wherever in it; by name, with the schema where one is written that isn't Postgres' own. */
export function callsOf(node: Node): { name: string; args: Node[] }[] {
  const found: { name: string; args: Node[] }[] = [];
  walk(node, (key, child) => {
    if (key !== "FuncCall") return;
    const { funcname, args = [] } = child as { funcname?: Node[]; args?: Node[] };
    const parts = partsOf(funcname);
    found.push({ name: (parts[0] === "pg_catalog" ? parts.slice(1) : parts).join("."), args });
  });
  return found;
}

/** Names that the WITH parts of a statement give to queries: they aren't tables. */
export function namedQueries(node: Node): Set<string> {
  const found = new Set<string>();
  walk(node, (key, child) => {
    if (key === "CommonTableExpr") found.add((child as { ctename?: string }).ctename ?? "");
  });
  return found;
}

/** Everything in a tree, each before what is in it. */
export function walk(value: unknown, visit: (key: string, child: unknown) => void): void {
  if (value === null || typeof value !== "object") return;
  for (const [key, child] of Object.entries(value)) {
    visit(key, child);
    walk(child, visit);
  }
}
