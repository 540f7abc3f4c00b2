import type { DatabaseError } from "pg";

/** Where a statement stands in its file. */
export interface Place {
  /** For people: `20240131120000_add_index/migration.sql`. */
  readonly file: string;
  /** The whole file. */
  readonly sql: string;
  /** UTF-16 offset in the file of the text that was sent. */
  readonly offset: number;
}

const WIDTH = 110;

/** An error of Postgres as people read it: message, `file:line:column`, the line of the file and a caret, and what Postgres adds. */
export function describeSqlError(error: unknown, place: Place, position?: number): string {
  const database = error as Partial<DatabaseError> & Error;
  const lines = [
    `${database.severity ?? "ERROR"}: ${maskPasswords(database.message)}${database.code ? ` (SQLSTATE ${database.code})` : ""}`,
  ];
  lines.push(...showPlace(place, position));
  if (database.detail) lines.push(`DETAIL: ${cut(maskPasswords(database.detail))}`);
  if (database.hint) lines.push(`HINT: ${cut(database.hint)}`);
  if (database.where) lines.push(`CONTEXT: ${cut(maskPasswords(database.where.split("\n")[0]!))}`);
  return lines.join("\n");
}

/** The place as `file:line:column`, with the source line and a caret: below the position, or below the statement's beginning. */
export function showPlace(place: Place, position = 1): string[] {
  const at = place.offset + offsetOf(place.sql.slice(place.offset), position);
  const start = place.sql.lastIndexOf("\n", at - 1) + 1;
  const line = countNewlines(place.sql, start) + 1;
  const end = place.sql.indexOf("\n", at);
  const source = place.sql.slice(start, end < 0 ? undefined : end).replace(/\r$/, "");
  const column = at - start;
  // A line of a dump can be megabytes long: show what is around the place.
  const from = column > WIDTH - 20 ? column - 40 : 0;
  const shown = source.slice(from, from + WIDTH);
  const masked = maskPasswords(shown);
  const gutter = `${line} | ${from > 0 ? "…" : ""}`;
  const result = [
    `  at ${place.file}:${line}:${countCharacters(source.slice(0, column)) + 1}`,
    `${gutter}${masked}${from + WIDTH < source.length ? "…" : ""}`,
  ];
  if (masked !== shown) return result;
  // Tabs stay, so that the caret stands where the word does.
  const lead = shown
    .slice(0, column - from)
    .replace(/[^\t\ud800-\udbff]/g, " ")
    .replace(/[\ud800-\udbff]/g, "");
  return [...result, `${" ".repeat(gutter.length)}${lead}^`];
}

/** Postgres counts characters from 1; strings count UTF-16 units from 0. */
function offsetOf(text: string, position: number): number {
  let offset = 0;
  for (let count = 1; count < position && offset < text.length; count++)
    offset += text.codePointAt(offset)! > 0xffff ? 2 : 1;
  return offset;
}

/** As Postgres counts them in a position: code points. */
export function countCharacters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function countNewlines(text: string, to: number): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < to; at = text.indexOf("\n", at + 1)) count++;
  return count;
}

function cut(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}

/** `CREATE ROLE … PASSWORD '…'` in a migration must not end up in a log. */
export function maskPasswords(text: string): string {
  return text.replace(/(password\s*=?\s*)(e?'(?:[^']|'')*'?)/gi, "$1'***'");
}
