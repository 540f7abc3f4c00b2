import type { Migration } from "../../migrations/history/history";
import { type HistoryRow, matchesChecksum, standsFor } from "./history-table";

/** What the folder and the table say of each other. */
export interface HistoryState {
  /** To be applied, in order. */
  readonly pending: Migration[];
  readonly applied: Migration[];
  /** Applied with another text than the folder has now. */
  readonly edited: { migration: Migration; row: HistoryRow }[];
  /** Applied here, not in the folder, and not squashed into one of the folder. */
  readonly missing: HistoryRow[];
  /** Started, neither finished nor rolled back: the last such row of each migration. */
  readonly unfinished: HistoryRow[];
  /** Pending although a later one is applied. */
  readonly outOfOrder: Migration[];
}

/**
 * Compares a history with its table. The same name may have several rows: failed, rolled back, applied; as in Prisma the rows
 * that were rolled back count for nothing.
 */
export function compareHistory(migrations: readonly Migration[], rows: readonly HistoryRow[]): HistoryState {
  const live = rows.filter((row) => row.rolledBackAt === null);
  const finished = new Map(live.filter((row) => row.finishedAt !== null).map((row) => [row.migrationName, row]));
  const unfinished = new Map(
    live
      .filter((row) => row.finishedAt === null && !finished.has(row.migrationName))
      .map((row) => [row.migrationName, row]),
  );
  const names = new Set(migrations.map(({ name }) => name));
  const applied = migrations.filter(({ name }) => finished.has(name));
  const squashed = new Set(applied.flatMap(({ name }) => standsFor(finished.get(name)!)));
  const pending = migrations.filter(({ name }) => !finished.has(name));
  const lastApplied = applied.at(-1);
  return {
    pending,
    applied,
    edited: applied
      .map((migration) => ({ migration, row: finished.get(migration.name)! }))
      .filter(({ migration, row }) => !matchesChecksum(migration, row.checksum)),
    missing: [...finished.values()].filter(
      ({ migrationName }) => !names.has(migrationName) && !squashed.has(migrationName),
    ),
    unfinished: [...unfinished.values()],
    outOfOrder: lastApplied ? pending.filter((each) => migrations.indexOf(each) < migrations.indexOf(lastApplied)) : [],
  };
}
