import { keyOf, type Name } from "../sql/identifier";
import type { Before } from "./undo";

/** Makes an index again that the history has made and that is gone; undefined if its definition isn't known. */
export function indexAgain(name: Name, { schema, write }: Before): string[] | undefined {
  const known = schema.definitions?.get({ kind: "index", key: keyOf(name) });
  if (!known?.node || !("IndexStmt" in known.node)) return undefined;
  // Postgres refuses CONCURRENTLY on a partitioned table.
  const concurrent = !schema.tables.get(known.table ?? "")?.partitioned;
  const { if_not_exists: _, concurrent: _was, ...index } = known.node.IndexStmt;
  const text = write({ IndexStmt: { ...index, ...(concurrent && { concurrent }) } });
  return text === undefined ? undefined : [text];
}
