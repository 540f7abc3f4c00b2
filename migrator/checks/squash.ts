import type { Migration } from "../../migrations/history/history";
import { loadParser } from "../../migrations/history/plan";
import type { Catalog } from "../../migrations/schema/expectation";
import { isMet } from "../../migrations/schema/expectation";
import { type PlannedEffects, plannedEffects } from "../apply/planned-effects";
import type { HistoryState } from "../records/history-state";
import type { HistoryRow } from "../records/history-table";
import type { Run } from "../run";
import { readCatalog } from "./catalog";

/**
 * Returns the migration that looks like the squashed form of those that the database has and the folder doesn't, as
 * Prisma documents squashing; undefined if there is none. It is the first pending migration, or one that was recorded
 * by hand after all of the missing ones, and its tables exist already.
 */
export async function squashOf(
  { session, plans, table: { schema } }: Run,
  { missing, pending, applied }: HistoryState,
  rows: readonly HistoryRow[],
): Promise<Migration | undefined> {
  if (missing.length === 0) return undefined;
  const last = Math.max(...missing.map(({ finishedAt }) => finishedAt?.getTime() ?? 0));
  const byHand = new Set(
    rows
      .filter(
        ({ appliedSteps, startedAt, rolledBackAt }) =>
          appliedSteps === 0 && !rolledBackAt && startedAt.getTime() >= last,
      )
      .map(({ migrationName }) => migrationName),
  );
  await loadParser();
  const catalog = await readCatalog(session);
  return [...pending.slice(0, 1), ...applied.filter(({ name }) => byHand.has(name))].find((migration) =>
    isThere(plannedEffects(plans, [], [migration], schema), catalog),
  );
}

function isThere({ promises }: PlannedEffects, catalog: Catalog): boolean {
  return (
    promises.some(({ key, present }) => present && key.startsWith("table ")) &&
    promises.every((each) => each.uncertain !== undefined || isMet(each, catalog))
  );
}
