import type { Migration } from "../../migrations/history/history";

/** Returns the subject of a sentence about a migration, or about a file of SQL that is none. */
export function titleOf({ name, file }: Migration): string {
  return file === undefined ? `Migration ${name}` : `The file ${file}`;
}

/** Returns the name of the file as people see it, such as `20240131120000_add_index/migration.sql`. */
export function fileOf({ name, file }: Migration): string {
  return file ?? `${name}/migration.sql`;
}
