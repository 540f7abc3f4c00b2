/** A word, constant or sign of a statement, with its position in the text (in UTF-16 units). */
export interface Token {
  readonly text: string;
  /** The text in upper case, to be compared with keywords. */
  readonly upper: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Matches one token, as Postgres' scanner defines them (scan.l), except that each character of an operator is a token
 * of its own. The parser's own scanner would take more time for this than the whole review.
 */
const token = new RegExp(
  [
    String.raw`\s+|--[^\n\r]*`, // skipped
    String.raw`[eE]'[^'\\]*(?:(?:\\[^]|'')[^'\\]*)*(?:'|\\?$)`,
    "(?:[bBxX]|[uU]&)?'[^']*(?:''[^']*)*(?:'|$)",
    String.raw`\$(?<tag>(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?)\$[^]*?(?:\$\k<tag>\$|$)`,
    '(?:[uU]&)?"[^"]*(?:""[^"]*)*(?:"|$)',
    String.raw`[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*`,
    String.raw`\$\d+|0[xXoObB][\da-fA-F_]+|(?:\d[\d_]*(?:\.(?!\.)\d*)?|\.\d+)(?:[eE][+-]?\d+)?`,
    "[^]",
  ].join("|"),
  "y",
);

/**
 * The tokens of a statement, without the comments. A quoted text without an end extends to the end of the statement.
 */
export function tokensOf(sql: string): Token[] {
  const found: Token[] = [];
  for (let at = 0; at < sql.length; ) {
    if (sql.startsWith("/*", at)) {
      at = endOfComment(sql, at);
      continue;
    }
    token.lastIndex = at;
    const text = token.exec(sql)?.[0] ?? sql.slice(at);
    const start = at;
    at += text.length;
    if (!/^\s|^--/.test(text)) found.push({ text, upper: text.toUpperCase(), start, end: at });
  }
  return found;
}

/**
 * The offset after the comment that begins at `start`. Comments nest; one
 * without an end extends to the end of the text.
 */
export function endOfComment(text: string, start: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = start;
  let depth = 0;
  for (let found = mark.exec(text); found; found = mark.exec(text)) {
    depth += found[0] === "/*" ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return text.length;
}

/** Inserts words after the first token `after`, as in CREATE INDEX → CREATE INDEX CONCURRENTLY. */
export function insertAfter(sql: string, after: string, words: string): string {
  const token = tokensOf(sql).find(({ upper }) => upper === after);
  return token ? `${sql.slice(0, token.end)} ${words}${sql.slice(token.end)}` : sql;
}

/** Splits an ALTER TABLE into its head and its subcommands, as they are written: `ADD COLUMN a int DEFAULT f(1, 2)`. */
export function alterCommands(sql: string): { head: string; commands: string[] } {
  const tokens = tokensOf(sql);
  let next = tokens.findIndex(({ upper }) => upper === "TABLE") + 1;
  while (["IF", "EXISTS", "ONLY"].includes(tokens[next]?.upper ?? "")) next++;
  next++; // the table's name
  while (tokens[next]?.text === ".") next += 2;
  if (tokens[next]?.text === "*") next++;
  const rest = tokens.slice(next);
  const head = sql.slice(0, tokens[next - 1]?.end ?? 0).trim();
  const commands: string[] = [];
  let depth = 0;
  let start = rest[0]?.start ?? sql.length;
  for (const { text, start: at, end } of rest) {
    if (text === "(" || text === "[") depth++;
    if (text === ")" || text === "]") depth--;
    if (text !== "," || depth > 0) continue;
    commands.push(sql.slice(start, at).trim());
    start = end;
  }
  commands.push(sql.slice(start).trim());
  return { head, commands };
}
