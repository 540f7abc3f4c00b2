import { scanSync } from "libpg-query";
import { beforeAll, describe, expect, test } from "vitest";
import { loadParser } from "../../../migrations/sql/parse";
import { tokensOf } from "../../../migrations/sql/tokens";
import { before } from "../../review/corpus/before";
import { statements } from "../../review/corpus/statements";

beforeAll(() => loadParser());

/** Postgres' own tokens, with each character of an operator by itself. */
function scanned(sql: string): string[] {
  const bytes = Buffer.from(sql);
  return scanSync(sql)
    .tokens.filter(({ tokenName }) => !tokenName.endsWith("_COMMENT"))
    .map(({ start, end }) => bytes.toString("utf8", start, end))
    .flatMap((text) => (/^[^\w'"$.\u0080-\uffff]+$/.test(text) ? [...text] : [text]));
}

describe("tokens", () => {
  test.each([
    "SELECT 1.5, .5, 1., 1e5, 1.5e-3, 0x1F, $1, a.b.c, a[1:2], x>=1 AND y->>'a' <> 'b'",
    "SELECT 'it''s', E'a\\'b', b'101', n'x', U&\"d\\0061t\", \"é\"\"b\", étà, ''",
    "SELECT $$x'y$$, $tag$a $$ b$tag$, $é$;$é$ -- c, 'd\n + /* a /* b */ ' c */ 2 /**/-1",
    'ALTER TABLE\tonly\n"A b" ADD c$d INT DEFAULT (1 --2\n)',
  ])("of %j are Postgres'", (sql) => {
    expect(tokensOf(sql).map(({ text }) => text)).toEqual(scanned(sql));
  });

  test("of every statement of the corpus are Postgres'", () => {
    for (const sql of [before, ...statements.map(([text]) => text)])
      expect(tokensOf(sql).map(({ text }) => text)).toEqual(scanned(sql));
  });

  test("know their places", () => {
    const sql = 'ALTER TABLE /* é */ "é" DROP x';
    for (const { text, start, end } of tokensOf(sql)) expect(sql.slice(start, end)).toBe(text);
  });
});
