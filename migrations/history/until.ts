import { HistoryError, type Migration } from "./history";

/** A history as a release takes it: without the migrations that are held back. */
export interface ReleasedHistory {
  readonly migrations: Migration[];
  /** The names of the later migrations, which are not released. */
  readonly heldBack: string[];
}

/**
 * Leaves out the migrations after the last one that is released.
 * @param directory the folder, for the message
 * @param until the setting `migrations.until`; undefined: every migration is released
 * @throws HistoryError if it names no migration of the folder
 */
export function releasedUntil(
  directory: string,
  folder: readonly Migration[],
  until: string | undefined,
): ReleasedHistory {
  if (until === undefined) return { migrations: [...folder], heldBack: [] };
  const last = folder.findIndex(({ name }) => name === until);
  if (last < 0) {
    const known = folder.length === 0 ? "which is empty" : `whose last one is ${folder.at(-1)!.name}`;
    const message = `has no migration ${until}, which migrations.until names, and ${known}; correct the setting, or remove it to release all migrations`;
    throw new HistoryError(directory, [{ kind: "until", path: directory, message }]);
  }
  return { migrations: folder.slice(0, last + 1), heldBack: folder.slice(last + 1).map(({ name }) => name) };
}
