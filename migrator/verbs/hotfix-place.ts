import type { Migration } from "../../migrations/history/history";
import { hotfixMigration, hotfixTitle } from "../../migrations/history/hotfix";
import { newName } from "../../migrations/history/new-name";
import { FailedMigration } from "../failures/history";
import { HotfixNameTaken, HotfixRefused } from "../failures/hotfix";
import { compareHistory, type HistoryState } from "../records/history-state";
import { type HistoryRow, matchesChecksum } from "../records/history-table";
import { type Progress, readProgress } from "../records/progress";
import type { Run } from "../run";

/** A hotfix with its place in the history. */
export interface HotfixPlace {
  /** The migration that it is in the history. */
  readonly migration: Migration;
  readonly isApplied: boolean;
  /** The progress of an earlier run that was interrupted; undefined: there is none. */
  readonly resume: Progress | undefined;
  readonly history: HistoryState;
}

/**
 * Finds the place of a hotfix. An earlier run of the same command has decided its name; it is found again by the title
 * and the text, or by the title alone if it is unfinished, because the rest of its text may have been corrected. A
 * migration of the folder with the same title and text is the same hotfix, run on another database.
 * @param title the name of the hotfix without its time
 * @throws HotfixNameTaken, HotfixRefused, and FailedMigration if any other migration is unfinished
 */
export async function findPlace(
  run: Run,
  migrations: readonly Migration[],
  file: Migration,
  title: string,
): Promise<HotfixPlace> {
  const { session, table, records } = run;
  if (!(await table.exists(session)))
    throw new HotfixRefused(file.name, ["The database has no history of migrations: it belongs to no release yet."]);
  const rows = await table.read(session);
  const history = compareHistory(migrations, rows);
  const progress = await readProgress(records);
  const mine = history.unfinished.find(
    ({ id, migrationName }) =>
      hotfixTitle(migrationName) === title && progress.some(({ historyId }) => historyId === id),
  );
  const [other] = history.unfinished.filter((row) => row !== mine);
  if (other) throw new FailedMigration(other.migrationName, other.startedAt.toISOString(), []);
  const place = (name: string) => ({ migration: hotfixMigration(name, file), history, isApplied: false });
  if (mine) return { ...place(mine.migrationName), resume: progress.find(({ historyId }) => historyId === mine.id) };
  const known = appliedOrInFolder(migrations, rows, place("").migration, title);
  if (known) return { ...place(known.name), isApplied: known.isApplied, resume: undefined };
  const names = [...migrations.map(({ name }) => name), ...rows.map(({ migrationName }) => migrationName)];
  const last = names.filter((name) => /^\d/.test(name)).reduce(later, "");
  const name = newName(title, last, new Date());
  // Another run of the command would not find it again.
  if (hotfixTitle(name) !== title)
    throw new HotfixRefused(file.name, [`No time comes after ${last} in the order of the history.`]);
  return { ...place(name), resume: undefined };
}

/** @throws HotfixNameTaken if a migration with this title has another text */
function appliedOrInFolder(
  migrations: readonly Migration[],
  rows: readonly HistoryRow[],
  hotfix: Migration,
  title: string,
): { name: string; isApplied: boolean } | undefined {
  const applied = rows
    .filter(({ finishedAt, rolledBackAt }) => finishedAt !== null && rolledBackAt === null)
    .map(({ migrationName: name, checksum }) => ({ name, checksum, isApplied: true }));
  const inFolder = migrations.map(({ name, checksum }) => ({ name, checksum, isApplied: false }));
  const named = [...applied, ...inFolder].filter(({ name }) => hotfixTitle(name) === title);
  const same = named.find(({ checksum }) => matchesChecksum(hotfix, checksum));
  const [taken] = named;
  if (taken && !same)
    throw new HotfixNameTaken(
      title,
      taken.name,
      taken.isApplied ? "this database has applied it" : "the folder has it",
    );
  return same;
}

function later(a: string, b: string): string {
  return Buffer.compare(Buffer.from(a), Buffer.from(b)) > 0 ? a : b;
}
