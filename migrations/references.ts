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

/** The changes that a query makes in its WITH part: `WITH gone AS (DELETE FROM a RETURNING *) SELECT …`. */
export function changesWithin(node: Node): Node[] {
  const found: Node[] = [];
  if (!["SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"].some((tag) => tag in node)) return found;
  walk(node, (key, child) => {
    const query = key === "CommonTableExpr" ? (child as { ctequery?: Node }).ctequery : undefined;
    if (query && ("DeleteStmt" in query || "UpdateStmt" in query || "InsertStmt" in query || "MergeStmt" in query))
      found.push(query);
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
function walk(value: unknown, visit: (key: string, child: unknown) => void): void {
  if (value === null || typeof value !== "object") return;
  for (const [key, child] of Object.entries(value)) {
    visit(key, child);
    walk(child, visit);
  }
}
