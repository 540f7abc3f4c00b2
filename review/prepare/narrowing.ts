import type { Schema } from "../../migrations/schema/schema";
import { type ColumnType, narrows, rounds } from "../../migrations/sql/column-type";

/** What a new type does to values that a column can hold today: all stay, some are rounded, or some are refused or cut. */
export type Narrowing = "none" | "rounds" | "narrows";

/**
 * Compares two types of a column. A domain without a constraint holds what its base type holds, and the values of a
 * domain satisfy the constraints of the domains that it is made from.
 * @param using whether an expression makes the new values; it can fail at any of them
 */
export function narrowing(
  from: ColumnType | undefined,
  to: ColumnType | undefined,
  schema: Schema,
  using: boolean,
): Narrowing {
  if (!narrows(from, to)) return "none";
  const base = schema.baseOf(from, true);
  const target = schema.baseOf(to, isMadeFrom(from, to, schema));
  if (!narrows(base, target)) return "none";
  return !using && rounds(base, target) ? "rounds" : "narrows";
}

function isMadeFrom(from: ColumnType | undefined, to: ColumnType | undefined, schema: Schema): boolean {
  for (let type = from; type; type = schema.domainBases.get(type.name)) if (type.name === to?.name) return true;
  return false;
}
