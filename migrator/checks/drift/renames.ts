import type { DriftObject, Snapshot } from "./object";
import { changedFacts } from "./rule";

/** A column that has another name in the other database. */
export interface Renamed {
  readonly before: DriftObject;
  readonly after: DriftObject;
}

/**
 * Returns the columns that were renamed: at the same place of the same table, and otherwise the same. A column that was
 * dropped and made again has a later place, also where it is the last one.
 */
export function renamedColumns(from: Snapshot, to: Snapshot): Renamed[] {
  const made = new Map<string, DriftObject>();
  for (const [key, object] of to) if (object.kind === "column" && !from.has(key)) made.set(placeOf(object), object);
  return [...from].flatMap(([key, before]) => {
    if (before.kind !== "column" || to.has(key)) return [];
    const after = made.get(placeOf(before));
    return after && changedFacts(before, after).length === 0 ? [{ before, after }] : [];
  });
}

/** Returns the table of a column, with the column's number in it. */
function placeOf({ on, address }: DriftObject): string {
  return `${on} ${address.split(":")[2]}`;
}
