import type { TruncateStmt } from "libpg-query";
import { keyOf, type Name, nameOf } from "../sql/identifier";
import type { Schema } from "./schema";

/**
 * The tables that a TRUNCATE empties: those that it names, their partitions and children,
 * and with CASCADE all tables that reference them.
 */
export function emptiedBy({ relations, behavior }: TruncateStmt, schema: Schema): Name[] {
  const found = new Map<string, Name>();
  const add = (name: Name, whole: boolean): void => {
    const key = keyOf(name);
    if (found.has(key)) return;
    found.set(key, name);
    if (whole) for (const child of schema.children(key)) add(child.name, true);
    if (behavior === "DROP_CASCADE") for (const table of schema.referencing(key)) add(table.name, true);
  };
  for (const item of relations ?? []) if ("RangeVar" in item) add(nameOf(item.RangeVar), item.RangeVar.inh === true);
  return [...found.values()];
}
