import type { Migration } from "../../../migrations/history/history";
import type { Catalog } from "../../../migrations/schema/expectation";
import type { Defined } from "../../../migrations/statements/replay-rules";
import type { Session } from "../../db/connection";
import { migrationPath } from "../../db/search-path";
import type { Run } from "../../run";
import { readCatalog } from "../catalog";
import type { Snapshot } from "../drift/object";
import { readObjects } from "../drift/read-objects";
import { statesOf } from "../replayed-states";
import { onScratch, type Unknown } from "../scratch";

/** A scratch database while a hotfix runs on it, at its point of the history. */
export interface HotfixStates {
  /** The objects before its first statement, and then after each one. */
  readonly objects: readonly Snapshot[];
  /** The entries by which preflight finds drift, as the hotfix leaves those that it changes; undefined: gone. */
  readonly entries: ReadonlyMap<string, string | undefined>;
}

/**
 * Runs a history on a scratch database, and reads what each statement of its hotfixes makes there. A statement that may
 * not be run there (DO, CALL, roles) is left out.
 * @param applied the migrations that the live database has
 * @param pending those that follow, among them the hotfixes
 * @returns the states of each hotfix, or the reason why they can't be told
 */
export async function hotfixStates(
  run: Run,
  { applied, pending }: { applied: readonly Migration[]; pending: readonly Migration[] },
  hotfixes: readonly Migration[],
): Promise<ReadonlyMap<Migration, HotfixStates | Unknown> | Unknown> {
  const first = pending.indexOf(hotfixes[0]!);
  const last = pending.indexOf(hotfixes.at(-1)!);
  const found = new Map<Migration, HotfixStates | Unknown>();
  let unknown: Unknown | undefined;
  const look = async (scratch: Session, defined: Defined) => {
    for (const migration of pending.slice(first, last + 1)) {
      const isHotfix = hotfixes.includes(migration);
      await scratch.run(migrationPath(run.table.schema));
      if (!unknown) {
        const before = isHotfix ? await readCatalog(scratch) : {};
        const read = async () => (isHotfix ? await readObjects(scratch) : undefined);
        const { states, stopped } = await statesOf(run, { scratch, defined, others: "skip" }, migration, read);
        if (stopped !== undefined)
          unknown = { unknown: `line ${lineAfter(run, migration, states.length)} of ${migration.name}: ${stopped}` };
        else if (isHotfix)
          found.set(migration, {
            objects: states.map((each) => each!),
            entries: changedEntries(before, await readCatalog(scratch)),
          });
      }
      if (unknown && isHotfix) found.set(migration, unknown);
    }
    return found;
  };
  // What a DO block of the history has made is no part of what the hotfix changes, or the hotfix fails without it.
  return onScratch(run, [...applied, ...pending.slice(0, first)], look, "skip");
}

/** Returns the line of the statement that could not be run. */
function lineAfter({ plans }: Run, migration: Migration, states: number): number {
  return plans.of(migration).statements[states - 1]?.line ?? 1;
}

function changedEntries(before: Catalog, after: Catalog): ReadonlyMap<string, string | undefined> {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return new Map([...keys].filter((key) => before[key] !== after[key]).map((key) => [key, after[key]]));
}
