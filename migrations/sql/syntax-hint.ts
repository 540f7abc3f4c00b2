/** Characters that look like a space or a quote, or are invisible. Postgres treats them as part of a word. */
const DECEPTIVE =
  /[\u00a0\u00ad\u1680\u180e\u2000-\u200f\u2018-\u201f\u2028-\u202f\u205f-\u2064\u3000\ufeff\uff07\uff1b]/;

/**
 * Why Postgres' parser refused a script, for the common reasons: commands and data that only psql understands, and
 * characters that look like others. The result is undefined for any other reason.
 *
 * @param offset the offset of the word that was refused, in UTF-16 units
 */
export function syntaxHint(sql: string, offset: number): string | undefined {
  const word = /^[^ \t\r\n]*/.exec(sql.slice(offset, offset + 256))?.[0] ?? "";
  const odd = DECEPTIVE.exec(word)?.[0];
  if (odd !== undefined) {
    const code = odd.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
    return `a character stands in it that looks like a space or a quote and is none (U+${code}); type it anew`;
  }
  const before = sql.slice(0, offset);
  if (/\bCOPY\b[^;]*\bFROM\s+STDIN\b[^;]*;\s*$/i.test(before.slice(-2_000)))
    return "the rows after COPY … FROM STDIN are read by psql only; write them as INSERT";
  if (word.startsWith("\\"))
    return "lines that begin with a backslash are commands of psql, which the server doesn't know";
  if (/^:["']?\w/.test(word) && !before.endsWith(":")) return "variables such as :name are filled in by psql only";
  return undefined;
}
