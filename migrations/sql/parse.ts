import { hasSqlDetails, loadModule, type Node, parseSync } from "libpg-query";
import { cutPoints } from "./cut";
import { isMasked } from "./mask-sql";
import { endOfComment, tokensOf } from "./tokens";

/** A statement as it stands in a file, with the parser's tree of it. */
export interface ParsedStatement {
  /** Exact text, from its first word to before its semicolon. */
  readonly text: string;
  /** Where `text` begins in the file's text, in UTF-16 units: `sql.slice(offset, offset + text.length) === text`. */
  readonly offset: number;
  /** Line of `offset`, from 1. */
  readonly line: number;
  /** What stands between the statement before (or the file's beginning) and this one: comments and white space. */
  readonly before: string;
  readonly node: Node;
}

/** SQL that Postgres' parser refuses. */
export class ScriptError extends Error {
  override readonly name = "ScriptError";

  constructor(
    message: string,
    /** Of the offending word, in UTF-16 units of the file's text. */
    readonly offset: number,
    /** From 1. */
    readonly line: number,
    /** From 1. */
    readonly column: number,
  ) {
    super(message);
  }
}

/** Bytes that are parsed at once: the trees of a file of 10 MiB would take a gigabyte. Larger pieces are not faster. */
const pieceBytes = 32 * 1024;
const byteOrderMark = "\ufeff";

/** Loads the parser (WASM, some 10 ms); everything else in `migrations/` is synchronous and needs it to be loaded. */
export const loadParser: () => Promise<void> = loadModule;

/**
 * The statements of a file, one after the other, with only a part of their trees in memory at a time.
 * A byte order mark is passed over; a file of comments has no statements.
 * @throws ScriptError at the first piece that isn't SQL. `loadParser` must have been awaited.
 */
export function* parseScript(sql: string): Generator<ParsedStatement> {
  const text = sql.startsWith(byteOrderMark) ? sql.slice(1) : sql;
  const skipped = sql.length - text.length;
  const bytes = Buffer.from(text);
  // The parser counts UTF-8 bytes; where every character is one byte, the two countings agree.
  const ascii = bytes.length === text.length;
  let counted = { bytes: 0, units: 0 };
  const unitsAt = (byte: number): number => {
    if (ascii) return byte;
    // Only ever forward, so that a long file is converted once.
    const units = counted.units + bytes.toString("utf8", counted.bytes, byte).length;
    counted = { bytes: byte, units };
    return units;
  };
  let at = 0; // bytes given to the parser so far
  let line = 1;
  let end = 0; // end of the statement before, in `text`
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

/** The tree of a statement that the parser has accepted before, from its exact text. */
export function nodeOf({ text }: Pick<ParsedStatement, "text">): Node {
  for (const { node } of parseScript(text)) return node;
  throw new Error("an empty text is no statement");
}

interface RawStatement {
  stmt?: Node;
  stmt_location?: number;
  stmt_len?: number;
}

/** Ends of the pieces, in bytes: cuts between statements, so far as that can be told without parsing. */
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
    // Either a cut was inside a statement (BEGIN ATOMIC … END), or this isn't SQL: the whole rest tells which.
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
  // The parser refuses an empty string, which is a script like any other.
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
  // The position counts characters, of which some are two UTF-16 units.
  let offset = base;
  for (let left = Math.max(error.sqlDetails?.cursorPosition ?? 0, 0); left > 0 && offset < text.length; left--)
    offset += (text.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1;
  const line = countLines(text.slice(0, offset)) + 1;
  // The word there may be (a part of) a constant, up to the whole rest of the file.
  const message = isMasked(text, offset) ? error.message.replace(/ at or near "[\s\S]*"$/, "") : error.message;
  return new ScriptError(message, offset, line, offset - text.lastIndexOf("\n", offset - 1));
}

/** Length of the white space and comments (which nest) that a text begins with. */
export function triviaLength(text: string): number {
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

/** Without the white space and comments at the end: what is added to a statement must not land in a comment. */
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
