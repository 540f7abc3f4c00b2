import { scanSync } from "libpg-query";
import { beforeAll, describe, expect, test } from "vitest";
import { maskedParts, maskSql, replaceParts } from "../../../migrations/sql/mask-sql";
import { loadParser } from "../../../migrations/sql/parse";
import { before } from "../../review/corpus/before";
import { statements } from "../../review/corpus/statements";

beforeAll(() => loadParser());

describe("a statement is shown without its constants", () => {
  test.each([
    ["CREATE ROLE a PASSWORD $pw$canary$pw$", "CREATE ROLE a PASSWORD '…'"],
    ["ALTER ROLE a PASSWORD/* 'x' */E'can\\'ary' -- canary", "ALTER ROLE a PASSWORD '…'"],
    ["ALTER USER a WITH PASSWORD U&'canar\\0079' UESCAPE '!'", "ALTER USER a WITH PASSWORD '…' UESCAPE '…'"],
    ["ALTER ROLE a PASSWORD canary", "ALTER ROLE a PASSWORD '…'"],
    ["ALTER ROLE a PASSWORD NULL", "ALTER ROLE a PASSWORD NULL"],
    [
      "CREATE SUBSCRIPTION s CONNECTION 'password=canary' PUBLICATION p",
      "CREATE SUBSCRIPTION s CONNECTION '…' PUBLICATION p",
    ],
    [
      "CREATE USER MAPPING FOR a SERVER s OPTIONS (password 'canary')",
      "CREATE USER MAPPING FOR a SERVER s OPTIONS (password '…')",
    ],
    ["DO $$ BEGIN EXECUTE 'canary'; PERFORM f(4711); END $$", "DO $$ BEGIN EXECUTE '…'; PERFORM f(…); END $$"],
    ['DO LANGUAGE plpython3u $$ plpy.execute("canary") $$', "DO LANGUAGE plpython3u '…'"],
    [
      "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $x$ SELECT 'canary' $x$",
      "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $x$ SELECT '…' $x$",
    ],
    [
      "INSERT INTO t VALUES (4711, -1.5e3, x'ff', B'1', N'canary', 0x1F)",
      "INSERT INTO t VALUES (…, -…, '…', '…', N'…', …)",
    ],
    [
      "ALTER TABLE t ALTER c TYPE numeric(10, 2), ADD v varchar(20) DEFAULT 'canary'",
      "ALTER TABLE t ALTER c TYPE numeric(10, 2), ADD v varchar(20) DEFAULT '…'",
    ],
    ["COPY t FROM stdin;\n1\tit's canary\n\\.\nSELECT 'canary', 211", "COPY t FROM stdin; … \\. SELECT '…', …"],
    ["SELECT $1, 'canary, cut", "SELECT $1, '…'"],
    ["SELECT $$canary, cut", "SELECT '…'"],
    ["SELECT 10 /* canary, cut", "SELECT 10"],
  ])("%s", (sql, shown) => expect(maskSql(sql)).toBe(shown));

  test("of the whole corpus, each constant that Postgres' scanner finds and nothing else", () => {
    for (const sql of [before, ...statements.map(([text]) => text)]) {
      const bytes = Buffer.from(sql);
      const constants = scanSync(sql).tokens.filter(({ tokenName }) =>
        /^(SCONST|USCONST|BCONST|XCONST)$/.test(tokenName),
      );
      const masked = maskedParts(sql);
      const shown = replaceParts(sql, masked);
      for (const { start, end } of constants) {
        const text = bytes.toString("utf8", start, end);
        if (text.startsWith("'") && text.length > 6) expect(shown).not.toContain(text);
      }
      // What is left are the same words: masking twice changes no more than masking once.
      expect(maskSql(maskSql(sql))).toBe(maskSql(sql));
    }
  });
});
