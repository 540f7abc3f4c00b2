import { chmodSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/**
 * Writes a new migration into the folder of migrations. Its folder appears with its file or not at all, because a
 * folder without one would stop every command. Nothing is overwritten; a migration of this name with the same text is
 * left as it is.
 * @returns the path of its migration.sql
 * @throws the error of the file system, with its `code`: ENOTEMPTY or EEXIST if the name is taken
 */
export function writeMigrationSync(directory: string, name: string, sql: string): string {
  const folder = join(directory, name);
  const path = join(folder, "migration.sql");
  if (holds(path, sql)) return path;
  const draft = mkdtempSync(join(dirname(resolve(directory)), ".migration-"));
  try {
    writeFileSync(join(draft, "migration.sql"), sql);
    chmodSync(draft, 0o777 & ~process.umask());
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw error;
  }
  return path;
}

function holds(path: string, sql: string): boolean {
  try {
    return readFileSync(path, "utf8") === sql;
  } catch {
    return false;
  }
}
