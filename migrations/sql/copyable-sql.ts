import { maskedParts, replaceParts } from "./mask-sql";
import { secretsIn } from "./secrets-in-sql";
import { tokensOf } from "./tokens";

/** The placeholder for a constant in proposed SQL. Postgres refuses it, so nobody runs the SQL by mistake. */
const PLACEHOLDER = "<value>";

/**
 * The statements whose constants are values of rows or secrets. In other statements (a
 * default, a CHECK) a constant belongs to the schema.
 */
const HOLDS_VALUES =
  /^(?:INSERT|UPDATE|DELETE|MERGE|WITH|VALUES|COPY|DO|CALL|EXECUTE|(?:CREATE|ALTER) (?:ROLE|USER|GROUP|SERVER|SUBSCRIPTION)|CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE))\b/;

/**
 * SQL for a person to copy from a review that many people can read. In statements whose constants are values of rows or
 * secrets, each constant is replaced by `<value>`, which a comment in the first line explains.
 */
export function copyableSql(sql: string): string {
  const masked: { start: number; end: number }[] = [];
  let words: string[] = [];
  let start = 0;
  const end = (at: number) => {
    const text = sql.slice(start, at);
    if (HOLDS_VALUES.test(words.join(" ")) || secretsIn(text).length > 0) masked.push({ start, end: at });
    words = [];
  };
  for (const token of tokensOf(sql)) {
    if (token.text === ";") end(token.start);
    else {
      if (words.length === 0) start = token.start;
      if (words.length < 4) words.push(token.upper);
    }
  }
  if (words.length > 0) end(sql.length);
  // The comments before a statement come from the review or explain the statement, so they stay. A comment inside a
  // statement may contain anything, so it is removed.
  const parts = maskedParts(sql)
    .filter((part) => masked.some((each) => each.start <= part.start && part.end <= each.end))
    .map((part) => ({ ...part, shown: part.shown.startsWith("/*") ? "" : PLACEHOLDER }));
  if (parts.length === 0) return sql;
  const text = replaceParts(sql, parts);
  return text.includes(PLACEHOLDER) ? `-- ${PLACEHOLDER}: as in the migration\n${text}` : text;
}
