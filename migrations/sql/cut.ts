const quote = 0x27;
const doubleQuote = 0x22;
const dollar = 0x24;
const semicolon = 0x3b;
const minus = 0x2d;
const slash = 0x2f;
const star = 0x2a;
const backslash = 0x5c;
const newline = 0x0a;

/**
 * Yields the offsets (in bytes) after each semicolon outside of quotes and comments, where a long script may be cut
 * before it is parsed. This is not a parser: an offset can be inside a statement (`BEGIN ATOMIC … END`). The parser
 * then refuses the piece, and the caller parses the whole rest instead.
 * @throws RangeError when comments are nested too deeply
 */
export function* cutPoints(sql: Buffer): Generator<number> {
  let at = 0;
  while (at < sql.length) {
    const byte = sql[at];
    if (byte === semicolon) yield ++at;
    else if (byte === quote) at = endOfString(sql, at);
    else if (byte === doubleQuote) at = after(sql, '"', at + 1);
    else if (byte === minus && sql[at + 1] === minus) at = after(sql, newline, at);
    else if (byte === slash && sql[at + 1] === star) at = endOfComment(sql, at);
    else if (byte === dollar) at = endOfDollarQuote(sql, at);
    else at++;
  }
}

function after(sql: Buffer, what: string | number, from: number): number {
  const found = sql.indexOf(what, from);
  return found < 0 ? sql.length : found + 1;
}

function endOfString(sql: Buffer, start: number): number {
  const before = sql[start - 1] ?? 0;
  const escapes = before === 0x45 || before === 0x65; // E'…'
  for (let at = start + 1; at < sql.length; at++) {
    if (sql[at] === backslash && escapes) at++;
    else if (sql[at] === quote) return at + 1;
  }
  return sql.length;
}

/**
 * The greatest depth of nested comments. The parser's time grows with the
 * square of it: a depth of 50,000 took two minutes.
 */
const deepestComment = 1_000;

function endOfComment(sql: Buffer, start: number): number {
  let depth = 0;
  for (let at = start; at < sql.length; at++) {
    if (sql[at] === slash && sql[at + 1] === star) {
      if (++depth > deepestComment) throw new RangeError(`comments are nested more than ${deepestComment} deep`);
      at++;
    } else if (sql[at] === star && sql[at + 1] === slash) {
      depth--;
      at++;
      if (depth === 0) return at + 1;
    }
  }
  return sql.length;
}

function endOfDollarQuote(sql: Buffer, start: number): number {
  let at = start + 1;
  while (at < sql.length && isTagByte(sql[at]!)) at++;
  if (sql[at] !== dollar) return start + 1;
  const tag = sql.subarray(start, at + 1);
  const end = sql.indexOf(tag, at + 1);
  return end < 0 ? sql.length : end + tag.length;
}

function isTagByte(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    byte === 0x5f ||
    byte >= 0x80
  );
}
