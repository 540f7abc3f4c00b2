import { maskedParts, replaceParts } from "../../migrations/sql/mask-sql";
import { oneLine } from "../../text/printable";
import type { QuietError } from "./quiet-error";

/** The place of a statement in its file. */
export interface Place {
  /** The name of the file as people see it: `20240131120000_add_index/migration.sql`. */
  readonly file: string;
  /** The text of the whole file. */
  readonly sql: string;
  /** The UTF-16 offset in the file at which the text that was sent begins. */
  readonly offset: number;
}

/** The largest number of characters of a source line that is shown. */
const WIDTH = 110;

/**
 * Describes an error of Postgres for people: message, `file:line:column`, the line of the file and a caret, and what
 * Postgres adds.
 * @param place the lines of {@link showPlace}, or what else is known of the place
 */
export function describeSqlError(error: unknown, place: readonly string[]): string[] {
  const { severity, code, detail, hint, where, withheld, message } = error as Partial<QuietError> & Error;
  const lines = [`${severity ?? "ERROR"}: ${cut(message)}${code ? ` (SQLSTATE ${code})` : ""}`];
  lines.push(...place);
  if (detail) lines.push(`DETAIL: ${cut(detail)}`);
  if (hint) lines.push(`HINT: ${cut(hint)}`);
  if (where) lines.push(`CONTEXT: ${cut(where.split("\n")[0]!)}`);
  if (withheld) lines.push(VALUES_NOT_SHOWN);
  return lines;
}

/** The line that explains how to see the values that an error leaves out by default. */
const VALUES_NOT_SHOWN =
  "Values are not shown: the server's log has them; so has this one with --show-values (setting migrations.showValues).";

/**
 * Returns the place as `file:line:column`, with the source line and a caret under the position. Constants and comments
 * of the line are masked.
 * @param position Postgres' position in characters, counted from 1; default: the statement's beginning
 */
export function showPlace(place: Place, position = 1): string[] {
  const given = place.offset + offsetOf(place.sql.slice(place.offset), position);
  // The caret of an error "at end of input" stands after the last word, and not on an empty line after it.
  const at = Math.min(given, place.sql.trimEnd().length);
  const start = place.sql.lastIndexOf("\n", at - 1) + 1;
  const line = countNewlines(place.sql, start) + 1;
  const newline = place.sql.indexOf("\n", at);
  const end = newline < 0 ? place.sql.length : newline;
  const column = countCharacters(place.sql.slice(start, at)) + 1;
  const masked = maskedLine(place.sql, start, end);
  const source = masked(end).trimEnd();
  const before = masked(at).length;
  // A line of a dump can be megabytes long, so only the text around the place is shown.
  const from = before > WIDTH - 20 ? before - 40 : 0;
  const gutter = `${line} | ${from > 0 ? "…" : ""}`;
  // Tabs are kept, so that the caret stands under the word.
  const lead = source
    .slice(from, before)
    .replace(/[^\t\ud800-\udbff]/g, " ")
    .replace(/[\ud800-\udbff]/g, "");
  return [
    `  at ${oneLine(place.file)}:${line}:${column}`,
    `${gutter}${source.slice(from, from + WIDTH)}${from + WIDTH < source.length ? "…" : ""}`,
    `${" ".repeat(gutter.length)}${lead}^`,
  ];
}

/**
 * Returns a function from an offset to the masked text of one line of a file up to there. Constants may begin and end
 * on other lines.
 */
function maskedLine(sql: string, start: number, end: number): (until: number) => string {
  const parts = maskedParts(sql).filter((part) => part.start < end && part.end > start);
  return (until) => {
    const cutOff = parts
      .filter((part) => part.start < until)
      .map((part) => ({ ...part, start: Math.max(part.start, start) - start, end: Math.min(part.end, end) - start }));
    const last = cutOff.at(-1);
    // The text ends where a constant begins if the error is within that constant.
    if (last && last.end > until - start)
      return replaceParts(sql.slice(start, last.start + start), cutOff.slice(0, -1));
    return replaceParts(sql.slice(start, until), cutOff);
  };
}

/**
 * Converts a position of Postgres, which counts characters from 1, to an offset in a string, which counts UTF-16 units
 * from 0.
 */
function offsetOf(text: string, position: number): number {
  let offset = 0;
  for (let count = 1; count < position && offset < text.length; count++)
    offset += text.codePointAt(offset)! > 0xffff ? 2 : 1;
  return offset;
}

/** Counts the characters of a text as Postgres counts them in a position: by code points. */
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
