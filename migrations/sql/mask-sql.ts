import { endOfComment, type Token, tokensOf } from "./tokens";

/** A part of an SQL text that is not shown, and the text that replaces it. */
export interface MaskedPart {
  /** The start of the part, in UTF-16 units of the text; `end` has the same unit. */
  readonly start: number;
  readonly end: number;
  readonly shown: string;
}

const STRING = "'…'";
const NUMBER = "…";
const COMMENT = "/*…*/";

/** Types that take a size: in `varchar(20)` the number belongs to the type, so it is shown. */
const SIZED_TYPES = new Set(
  (
    "VARCHAR CHAR CHARACTER VARYING BPCHAR NUMERIC DECIMAL DEC BIT VARBIT FLOAT TIME TIMESTAMP TIMETZ TIMESTAMPTZ " +
    "INTERVAL VECTOR HALFVEC"
  ).split(" "),
);

/** Languages whose code consists of SQL tokens. */
const SQL_LANGUAGES = new Set(["SQL", "PLPGSQL"]);

/**
 * Every constant and comment of an SQL text: strings of all forms, numbers of more than two digits, what follows
 * PASSWORD in a statement about a role, and the rows of a COPY block. Code of functions and DO blocks in SQL or
 * PL/pgSQL is masked in the same way; names are shown. The text may be cut off or not be valid SQL.
 */
export function maskedParts(sql: string): MaskedPart[] {
  const masked: MaskedPart[] = [];
  let statement: Token[] = [];
  const tokens = tokensOf(sql);
  for (const [index, token] of tokens.entries()) {
    if (token.text !== ";") {
      statement.push(token);
      continue;
    }
    maskStatement(statement, masked);
    const rows = endOfCopyRows(sql, statement, token.end);
    if (rows !== undefined) {
      const before = withComments(sql.slice(0, token.end), tokens.slice(0, index + 1), masked);
      const after = moved(maskedParts(sql.slice(rows)), rows);
      return [...before, { start: token.end, end: rows, shown: ` ${NUMBER}\n` }, ...after];
    }
    statement = [];
  }
  maskStatement(statement, masked);
  return withComments(sql, tokens, masked);
}

/** The statement on one line, without its constants and comments: `UPDATE users SET name = '…' WHERE id = …`. */
export function maskSql(sql: string): string {
  return replaceParts(sql, maskedParts(sql)).replaceAll(COMMENT, " ").replace(/\s+/g, " ").trim();
}

/** Whether the character at an offset (in UTF-16 units) lies in a constant or comment. */
export function isMasked(sql: string, offset: number): boolean {
  return maskedParts(sql).some(({ start, end }) => start <= offset && offset < end);
}

/** The text with each part replaced by its `shown`. */
export function replaceParts(sql: string, parts: readonly MaskedPart[]): string {
  let text = "";
  let at = 0;
  for (const { start, end, shown } of parts) {
    text += sql.slice(at, start) + shown;
    at = end;
  }
  return text + sql.slice(at);
}

function maskStatement(tokens: readonly Token[], masked: MaskedPart[]): void {
  const aboutRole =
    /^(CREATE|ALTER)$/.test(tokens[0]?.upper ?? "") && /^(ROLE|USER|GROUP)$/.test(tokens[1]?.upper ?? "");
  for (const [index, { text, upper, start, end }] of tokens.entries()) {
    const before = tokens[index - 1]?.upper;
    if (/^\$[^\d]/.test(text) && isCode(tokens, index)) maskCode(text, start, masked);
    else if (isString(text)) masked.push({ start, end, shown: STRING });
    else if (/^\.?\d/.test(text) && !/^\d\d?$/.test(text) && !isTypeSize(tokens, index))
      masked.push({ start, end, shown: NUMBER });
    else if (aboutRole && before === "PASSWORD" && upper !== "NULL") masked.push({ start, end, shown: STRING });
  }
}

function isString(text: string): boolean {
  return /^(?:[eEbBxX]|[uU]&)?'|^\$(?!\d)./.test(text);
}

/** Whether a token is a number in a type such as `numeric(10, 2)`; it looks back from the number to the type's name. */
function isTypeSize(tokens: readonly Token[], index: number): boolean {
  if (!/^\d{1,5}$/.test(tokens[index]!.text)) return false;
  let at = index - 1;
  if (tokens[at]?.text === ",") at -= 2;
  return tokens[at]?.text === "(" && SIZED_TYPES.has(tokens[at - 1]?.upper ?? "");
}

/** Whether a dollar-quoted text is code and not a value: after DO, and after the AS of a function. */
function isCode(tokens: readonly Token[], index: number): boolean {
  const words = tokens.filter((_, at) => at !== index).map(({ upper }) => upper);
  const language = words[words.indexOf("LANGUAGE") + 1]?.replaceAll(/["']/g, "") ?? "";
  if (words.includes("LANGUAGE") && !SQL_LANGUAGES.has(language)) return false;
  if (words[0] === "DO") return true;
  return words[0] === "CREATE" && /FUNCTION|PROCEDURE/.test(words.slice(1, 4).join(" ")) && words[index - 1] === "AS";
}

function maskCode(text: string, start: number, masked: MaskedPart[]): void {
  const tag = text.slice(0, text.indexOf("$", 1) + 1);
  const closed = text.length >= 2 * tag.length && text.endsWith(tag);
  const inside = text.slice(tag.length, closed ? text.length - tag.length : undefined);
  const offset = start + tag.length;
  masked.push(...moved(maskedParts(inside), offset));
}

function moved(parts: readonly MaskedPart[], by: number): MaskedPart[] {
  return parts.map(({ start, end, shown }) => ({ start: start + by, end: end + by, shown }));
}

/** The offset at which the rows after COPY … FROM STDIN end, as pg_dump writes them; undefined if there are no rows. */
function endOfCopyRows(sql: string, tokens: readonly Token[], from: number): number | undefined {
  const words = tokens.map(({ upper }) => upper);
  if (words[0] !== "COPY" || words[words.indexOf("FROM") + 1] !== "STDIN") return undefined;
  const end = /^\\\.\r?$/m.exec(sql.slice(from));
  return end ? from + end.index : sql.length;
}

/** Adds the comments, which lie between the tokens, and sorts all parts by their position. */
function withComments(sql: string, tokens: readonly Token[], masked: readonly MaskedPart[]): MaskedPart[] {
  const parts = [...masked];
  let at = 0;
  for (const { start, end } of [...tokens, { start: sql.length, end: sql.length }]) {
    const gap = sql.slice(at, start);
    for (let found = comment(gap, 0); found; found = comment(gap, found.end))
      parts.push({ start: at + found.start, end: at + found.end, shown: COMMENT });
    at = end;
  }
  return parts.sort((a, b) => a.start - b.start);
}

function comment(gap: string, from: number): { start: number; end: number } | undefined {
  const start = gap.slice(from).search(/--|\/\*/) + from;
  if (start < from) return undefined;
  if (gap.startsWith("/*", start)) return { start, end: endOfComment(gap, start) };
  const length = gap.slice(start).search(/[\r\n]/);
  return { start, end: length < 0 ? gap.length : start + length };
}
