import { maskedParts, replaceParts } from "./mask-sql";
import { secretsIn } from "./secrets-in-sql";
import { tokensOf } from "./tokens";

/** Stands for a constant in SQL that is proposed. Postgres refuses it, so that it is not run by mistake. */
const PLACEHOLDER = "<value>";

/** In these a constant is a value of a row or a secret; in others (a default, a CHECK) it belongs to the schema. */
const HOLDS_VALUES =
  /^(?:INSERT|UPDATE|DELETE|MERGE|WITH|VALUES|COPY|DO|CALL|EXECUTE|(?:CREATE|ALTER) (?:ROLE|USER|GROUP|SERVER|SUBSCRIPTION)|CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE))\b/;

/**
 * SQL to be copied by a person, from a review that many can read: constants of statements that hold values of rows or
 * secrets are `<value>`, which a first line explains.
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
  // Comments are the review's own, or explain the statement; between its words they may be anything.
  const parts = maskedParts(sql)
    .filter((part) => masked.some((each) => each.start <= part.start && part.end <= each.end))
    .map((part) => ({ ...part, shown: part.shown.startsWith("/*") ? "" : PLACEHOLDER }));
  if (parts.length === 0) return sql;
  const text = replaceParts(sql, parts);
  return text.includes(PLACEHOLDER) ? `-- ${PLACEHOLDER}: as in the migration\n${text}` : text;
}
