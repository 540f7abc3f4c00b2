import { hasSqlDetails, loadModule, type Node, parseSync } from "libpg-query";
import { cutPoints } from "./cut";
import { isMasked } from "./mask-sql";
import { endOfComment, tokensOf } from "./tokens";

/** A statement of a file, with its syntax tree. */
export interface ParsedStatement {
  /** The exact text, from the first word up to the semicolon, which is left out. */
  readonly text: string;
  /** The offset of `text` in the file's text, in UTF-16 units: `sql.slice(offset, offset + text.length) === text`. */
  readonly offset: number;
  /** The line of `offset`, counted from 1. */
  readonly line: number;
  /** The comments and white space between the previous statement (or the file's beginning) and this one. */
  readonly before: string;
  readonly node: Node;
}

/** SQL that Postgres' parser refuses. */
export class ScriptError extends Error {
  override readonly name = "ScriptError";

  constructor(
    message: string,
    /** The position of the offending word, in UTF-16 units of the file's text. */
    readonly offset: number,
    /** The line of the offending word, counted from 1. */
    readonly line: number,
    /** The column of the offending word, counted from 1. */
    readonly column: number,
  ) {
    super(message);
  }
}

/**
 * The number of bytes that are parsed at once, because the trees of a whole file of 10 MiB would take a gigabyte.
 * Larger pieces are not parsed faster.
 */
const pieceBytes = 32 * 1024;
const byteOrderMark = "\ufeff";

/**
 * Loads the parser (WebAssembly, some 10 ms). Everything else in `migrations/` is
 * synchronous and needs the parser to be loaded.
 */
export const loadParser: () => Promise<void> = loadModule;

/**
 * Yields the statements of a file one after the other, so that only a part of their trees is in memory at a time. A
 * byte order mark is skipped. A file that has only comments yields nothing. `loadParser` must have been awaited.
 * @throws ScriptError at the first piece that isn't SQL
 */
export function* parseScript(sql: string): Generator<ParsedStatement> {
  const text = sql.startsWith(byteOrderMark) ? sql.slice(1) : sql;
  const skipped = sql.length - text.length;
  const bytes = Buffer.from(text);
  // The parser counts UTF-8 bytes. If every character is one byte, the byte offsets equal the UTF-16 offsets.
  const ascii = bytes.length === text.length;
  let counted = { bytes: 0, units: 0 };
  const unitsAt = (byte: number): number => {
    if (ascii) return byte;
    // The offset only moves forward, so that each part of a long file is converted once.
    const units = counted.units + bytes.toString("utf8", counted.bytes, byte).length;
    counted = { bytes: byte, units };
    return units;
  };
  let at = 0; // the number of bytes that the parser has read so far
  let line = 1;
  let end = 0; // the end of the previous statement, in `text`
  for (const piece of piecesOf(sql, bytes)) {
    if (at >= bytes.length) break;
    const parsed = parsePiece(sql, text, bytes, at, piece, ascii);
    for (const { stmt, stmt_location = 0, stmt_len = 0 } of parsed.stmts) {
      if (!stmt) continue;
      const from = at + stmt_location;
      const start = unitsAt(from);
      const raw = text.slice(start, unitsAt(stmt_len > 0 ? from + stmt_len : at + parsed.bytes));
      const trivia = triviaLength(raw);
      const begin = start + trivia;
      const before = text.slice(end, begin);
      line += countLines(before);
      const statement = trimEnd(raw.slice(trivia));
      yield { text: statement, offset: begin + skipped, line, before, node: stmt };
      line += countLines(statement);
      end = begin + statement.length;
    }
    at += parsed.bytes;
  }
}

/** The syntax tree of a statement that was parsed before, from its exact text. */
export function nodeOf({ text }: Pick<ParsedStatement, "text">): Node {
  for (const { node } of parseScript(text)) return node;
  throw new Error("an empty text is no statement");
}

interface RawStatement {
  stmt?: Node;
  stmt_location?: number;
  stmt_len?: number;
}

/**
 * Yields the ends of the pieces, in bytes. The cuts are between statements, as far as that is known without parsing.
 */
function* pieces(bytes: Buffer): Generator<number> {
  if (bytes.length > pieceBytes) {
    let last = 0;
    for (const cut of cutPoints(bytes))
      if (cut - last >= pieceBytes) {
        yield cut;
        last = cut;
      }
  }
  yield bytes.length;
}

function piecesOf(sql: string, bytes: Buffer): number[] {
  try {
    return [...pieces(bytes)];
  } catch (error) {
    throw scriptError(error, sql, 0);
  }
}

function parsePiece(sql: string, text: string, bytes: Buffer, from: number, to: number, ascii: boolean) {
  if (to <= from) return { stmts: [] as RawStatement[], bytes: 0 };
  try {
    return { stmts: parse(ascii ? text.slice(from, to) : bytes.toString("utf8", from, to)), bytes: to - from };
  } catch (error) {
    // Either a cut was inside a statement (BEGIN ATOMIC … END), or this
    // isn't SQL. Parsing the whole rest decides which.
    const rest = ascii ? text.slice(from) : bytes.toString("utf8", from);
    if (to < bytes.length)
      try {
        return { stmts: parse(rest), bytes: bytes.length - from };
      } catch (whole) {
        throw scriptError(whole, sql, sql.length - rest.length);
      }
    throw scriptError(error, sql, sql.length - rest.length);
  }
}

function parse(sql: string): RawStatement[] {
  // The parser refuses an empty string, but an empty script is valid.
  if (sql.length === 0) return [];
  return (parseSync(sql).stmts ?? []) as RawStatement[];
}

const TOO_DEEP = "it is nested too deeply, or joins too many queries, for this program's parser";

function scriptError(error: unknown, text: string, base: number): unknown {
  const tooDeep = error instanceof RangeError || error instanceof WebAssembly.RuntimeError;
  if (!hasSqlDetails(error) && !tooDeep) return error;
  if (!hasSqlDetails(error)) {
    const message = /^comments/.test((error as Error).message) ? (error as Error).message : TOO_DEEP;
    return new ScriptError(message, base, countLines(text.slice(0, base)) + 1, 1);
  }
  // The parser's position counts characters, and some characters are two UTF-16 units.
  let offset = base;
  for (let left = Math.max(error.sqlDetails?.cursorPosition ?? 0, 0); left > 0 && offset < text.length; left--)
    offset += (text.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1;
  const line = countLines(text.slice(0, offset)) + 1;
  // The word in the message may be a constant or a part of one, and as long as the whole rest of the file.
  const message = isMasked(text, offset) ? error.message.replace(/ at or near "[\s\S]*"$/, "") : error.message;
  return new ScriptError(message, offset, line, offset - text.lastIndexOf("\n", offset - 1));
}

/** The length of the white space, semicolons and comments (which nest) at the beginning of a text, in UTF-16 units. */
function triviaLength(text: string): number {
  let at = 0;
  for (;;) {
    const space = /^[ \t\r\n\f\v;]+/.exec(text.slice(at, at + 4096))?.[0].length ?? 0;
    at += space;
    if (text.startsWith("--", at)) {
      const end = text.indexOf("\n", at);
      if (end < 0) return text.length;
      at = end + 1;
    } else if (text.startsWith("/*", at)) at = endOfComment(text, at);
    else if (space === 0) return at;
  }
}

/**
 * Removes white space and comments from the end, so that nothing that is
 * appended to the statement becomes part of a comment.
 */
function trimEnd(text: string): string {
  const trimmed = text.trimEnd();
  if (!trimmed.endsWith("*/") && !trimmed.slice(trimmed.lastIndexOf("\n") + 1).includes("--")) return trimmed;
  const last = tokensOf(trimmed).at(-1);
  return last ? trimmed.slice(0, last.end) : trimmed;
}

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}
