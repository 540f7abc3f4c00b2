import { scanSync } from "libpg-query";

/** A word, sign or constant of a statement, with its place in the text (UTF-16 units). */
export interface Token {
  readonly text: string;
  /** For comparing with key words. */
  readonly upper: string;
  readonly start: number;
  readonly end: number;
}

/** Postgres' own tokens of a statement, without the comments. */
export function tokensOf(sql: string): Token[] {
  const bytes = Buffer.from(sql);
  const ascii = bytes.length === sql.length;
  const at = (byte: number) => (ascii ? byte : bytes.toString("utf8", 0, byte).length);
  return scanSync(sql)
    .tokens.filter(({ tokenName }) => !tokenName.endsWith("_COMMENT"))
    .map(({ start, end }) => {
      const from = at(start);
      const text = sql.slice(from, at(end));
      return { text, upper: text.toUpperCase(), start: from, end: from + text.length };
    });
}

/** Puts words behind the first `after`, as in CREATE INDEX → CREATE INDEX CONCURRENTLY. */
export function insertAfter(sql: string, after: string, words: string): string {
  const token = tokensOf(sql).find(({ upper }) => upper === after);
  return token ? `${sql.slice(0, token.end)} ${words}${sql.slice(token.end)}` : sql;
}

/** The subcommands of ALTER TABLE as they are written: `ADD COLUMN a int DEFAULT f(1, 2)`. */
export function alterCommands(sql: string): { head: string; commands: string[] } {
  const tokens = tokensOf(sql);
  let next = tokens.findIndex(({ upper }) => upper === "TABLE") + 1;
  while (["IF", "EXISTS", "ONLY"].includes(tokens[next]?.upper ?? "")) next++;
  next++; // the name
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

/** The text between two words at the depth of the first: the type in `ADD COLUMN a TYPE NOT NULL`. */
export function withoutWords(sql: string, words: readonly string[]): string {
  const tokens = tokensOf(sql);
  const at = tokens.findIndex((_, index) => words.every((word, offset) => tokens[index + offset]?.upper === word));
  if (at < 0) return sql;
  const [from, to] = [tokens[at]!.start, tokens[at + words.length - 1]!.end];
  return `${sql.slice(0, from).trimEnd()} ${sql.slice(to).trimStart()}`.trim();
}
