import { newName } from "../history/new-name";

/**
 * Returns the folder's name of a migration that takes another one back: `20260410120000_revert_add_colour`.
 * @param name the migration that is taken back
 * @param index the place among several new migrations, counted from 0; each later one has its number at the end
 * @param last the name after which the new one must stand in the order of the history
 */
export function migrationName(name: string, index: number, last: string, now: Date): string {
  const title = name.replace(/^\d+_?/, "") || name;
  return newName(`revert_${title}${index === 0 ? "" : `_${index + 1}`}`, last, now);
}
