import { dirname } from "node:path";
import { shellWord } from "../../text/shell-word";
import { checksumOf, type Migration } from "./history";

/** The line that marks a migration whose effects a database may have already, because it was run there at once. */
const HOTFIX_LINE = "-- release: hotfix";

/** Matches the name of a hotfix, without the time that its folder's name begins with. */
export const HOTFIX_NAME = /^[a-z0-9_]{1,100}$/;

/** What {@link HOTFIX_NAME} asks for, as the end of a sentence. */
export const HOTFIX_NAME_RULE = "must be 1 to 100 of a-z, 0-9 and _";

/** Returns the SQL of a hotfix's migration.sql: the text of the file that was run, below the line that marks it. */
export function hotfixSql(sql: string): string {
  if (isMarked(sql)) return sql;
  const mark = sql.startsWith("\ufeff") ? "\ufeff" : "";
  // Git converts the ends of all lines alike, and the checksum must stay recognisable then.
  const lineEnd = /\r?\n/.exec(sql)?.[0] ?? "\n";
  return `${mark}${HOTFIX_LINE}${lineEnd}${sql.slice(mark.length)}`;
}

/** Returns true if a file has the line that marks a hotfix. */
function isMarked(sql: string): boolean {
  return /^\ufeff?[ \t]*--+[ \t]*release[ \t]*:[ \t]*hotfix[ \t]*$/im.test(sql.replaceAll("\r", ""));
}

/** Returns a hotfix as the migration that it is in the history. */
export function hotfixMigration(name: string, { sql, file }: Migration): Migration {
  const text = hotfixSql(sql);
  return { name, sql: text, checksum: checksumOf(text), ...(file !== undefined && { file }) };
}

/** Returns the name of a hotfix without the time that its migration's name begins with. */
export function hotfixTitle(migration: string): string {
  return migration.replace(/^\d+_/, "");
}

/**
 * Returns the lines that tell what to do with the folder of a hotfix.
 * @param path the path of its migration.sql
 */
export function writtenLines(path: string): string[] {
  return [
    `Written: ${path}. Releases find it applied here, and run it on every other database.`,
    `Next: git add ${shellWord(dirname(path))} (change schema.prisma in the same way), commit, and open the pull request`,
  ];
}
