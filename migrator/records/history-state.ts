import type { Migration } from "../../migrations/history/history";
import { type HistoryRow, matchesChecksum, standsFor } from "./history-table";

/** The result of comparing the migrations folder with the history table. */
export interface HistoryState {
  /** The migrations that are to be applied, in order. */
  readonly pending: Migration[];
  readonly applied: Migration[];
  /** The applied migrations whose text in the folder is another one now. */
  readonly edited: { migration: Migration; row: HistoryRow }[];
  /** The rows of applied migrations that are neither in the folder nor squashed into one of the folder. */
  readonly missing: HistoryRow[];
  /** The last row of each migration that was started, and neither finished nor rolled back. */
  readonly unfinished: HistoryRow[];
  /** The pending migrations that come before the last applied one. */
  readonly outOfOrder: Migration[];
}

/**
 * Compares a history with its table. A name may have several rows: failed, rolled back, applied. As in Prisma, rows
 * that were rolled back are ignored.
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
