import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { checksumOf } from "../../../migrations/history/history";
import { loadParser, planMigration } from "../../../migrations/history/plan";

beforeAll(() => loadParser());
const plan = (sql: string) => planMigration({ name: "1_a", sql, checksum: checksumOf(sql) });
const texts = (sql: string) => plan(sql).statements.map(({ text }) => text);

describe("the statements of a file", () => {
  test("are its exact text, at their offsets and lines, whatever stands around them", () => {
    const statement = fc.constantFrom(
      "SELECT 1",
      "SELECT 'a;b -- c'",
      'SELECT 1 AS "ü;""x"',
      "SELECT '😀'",
      "SELECT E'it\\'s;'",
      "DO $$ BEGIN -- ;\r\n PERFORM 'é;'; END $$",
      "DO $x$ BEGIN PERFORM $$;$$; END $x$",
      "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END",
      "SELECT /* in;side /* nested */ */\n 2",
      "ALTER TABLE t ADD c int,\r\n  DROP d",
    );
    const gap = fc.constantFrom("", " ", "\n", "\r\n", "-- é; comment\n", "/* ; /* 😀 */ */", ";", "\t", "--\r\n");
    const file = fc.array(fc.tuple(gap, gap, statement, gap), { maxLength: 8 });
    fc.assert(
      fc.property(file, gap, fc.boolean(), fc.boolean(), (parts, tail, mark, semicolon) => {
        const body = parts.map(([a, b, sql, c]) => a + b + sql + c).join(";");
        const sql = `${mark ? "\ufeff" : ""}${body}${semicolon ? ";" : ""}${tail}`;
        const { statements, error } = plan(sql);
        expect(error).toBeUndefined();
        expect(statements.map(({ text }) => text)).toEqual(parts.map(([, , text]) => text));
        for (const { text, offset, line } of statements) {
          expect(sql.slice(offset, offset + text.length)).toBe(text);
          expect(line).toBe(sql.slice(0, offset).split("\n").length);
        }
      }),
      { numRuns: 500 },
    );
  });

  test.each(["", "\ufeff", ";;", "-- nothing\n", "/* nothing */", "\r\n", "-- no line end"])("%j has none", (sql) => {
    expect(plan(sql)).toMatchObject({ statements: [], mode: "transaction" });
    expect(plan(sql).error).toBeUndefined();
  });

  test("a comment behind the last statement doesn't belong to it", () => {
    expect(texts("SELECT 1 -- the end")).toEqual(["SELECT 1"]);
    expect(texts("SELECT '--' /* the end */")).toEqual(["SELECT '--'"]);
    expect(texts("SELECT 1 -- é\n;SELECT 2 /* é */ ;")).toEqual(["SELECT 1", "SELECT 2"]);
  });

  test("a long file is parsed in pieces, with the same result", () => {
    const filler = `INSERT INTO t VALUES ('é;', $$;$$, E'\\';');\n`.repeat(9000);
    const atomic = "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1;\n SELECT 2; END";
    const sql = `${filler}${atomic};\n${filler}${atomic}`;
    expect(Buffer.byteLength(sql)).toBeGreaterThan(700_000);
    const { statements } = plan(sql);
    expect(statements).toHaveLength(18_002);
    for (const index of [0, 8999, 9000, 9001, 18_001]) {
      const { text, offset, line } = statements[index]!;
      expect(sql.slice(offset, offset + text.length)).toBe(text);
      expect(line).toBe(sql.slice(0, offset).split("\n").length);
    }
    expect(statements[9000]?.text).toBe(atomic);
    expect(statements.at(-1)?.text).toBe(atomic);
  });

  test("10 MiB of INSERTs stay within 400 MiB of memory", () => {
    const sql = "INSERT INTO t VALUES (1, 'abc');\n".repeat(330_000);
    const before = process.memoryUsage().rss;
    expect(plan(sql).statements).toHaveLength(330_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024);
  });
});

describe("a file that isn't SQL", () => {
  test("is located where the parser stopped", () => {
    const sql = "\ufeffSELECT '😀é';\nSELECT 1;\n  SELEC 2;";
    const { error, statements } = plan(sql);
    expect(error).toMatchObject({ line: 3, column: 3 });
    expect(sql.slice(error!.offset)).toBe("SELEC 2;");
    expect(error!.message).toContain("SELEC");
    expect(statements).toEqual([]);
  });

  test("is located in a long file too", () => {
    const sql = `${"INSERT INTO t VALUES ('é');\n".repeat(20_000)}SELEC 2;\n${"SELECT 1;\n".repeat(50_000)}`;
    expect(plan(sql).error).toMatchObject({ line: 20_001, column: 1, offset: sql.indexOf("SELEC 2") });
  });
});

describe("how a migration runs", () => {
  test("its own BEGIN and COMMIT are seen as such", () => {
    const { mode, statements } = plan("BEGIN; SELECT 1; COMMIT;");
    expect(mode).toBe("own");
    expect(statements.map(({ control }) => control)).toEqual(["begin", undefined, "commit"]);
    expect(plan("START TRANSACTION; END; ").mode).toBe("own");
    expect(plan("ABORT").statements[0]?.control).toBe("rollback");
    expect(plan("SAVEPOINT a; RELEASE a;").mode).toBe("transaction");
  });

  test("one statement that can't stand in a transaction makes it statement by statement", () => {
    expect(plan("CREATE TABLE a (); CREATE INDEX CONCURRENTLY i ON t (a);").mode).toBe("statements");
  });
});

describe("directives", () => {
  test("stand in line comments of their own, above any statement or alone in the file", () => {
    expect(plan("-- release: contract\nDROP TABLE a;").contract).toBe(true);
    expect(plan("\ufeff--RELEASE:Contract\r\nDROP TABLE a;").contract).toBe(true);
    expect(plan("SELECT 1;\n-- release: contract").contract).toBe(true);
    expect(plan("-- release: contract").contract).toBe(true);
    expect(
      plan("/* x */\n-- é\n\n  -- release: batch size 500 \nUPDATE t SET a = 1;").statements[0]?.directives,
    ).toEqual([{ name: "batch", text: "size 500", line: 4 }]);
  });

  test.each([
    ["-- release: contact\nDROP TABLE a;", 1, '"-- release: contract" is'],
    ["-- release: contracts\nDROP TABLE a;", 1, '"-- release: contract" is'],
    ["-- release: contract is not used here\nDROP TABLE a;", 1, "nothing may follow"],
    ["-- release: contract;\nDROP TABLE a;", 1, "no directive"],
    ["--- release contract\nDROP TABLE a;", 1, "it is written"],
    ["-- release hotfix\nDROP TABLE a;", 1, "it is written"],
    ["-- release: hotfixes\nDROP TABLE a;", 1, '"-- release: hotfix" is'],
    ["-- release: hotfix of 2026\nDROP TABLE a;", 1, "nothing may follow"],
    [
      "-- release: hotfix\nSET lock_timeout = 1; UPDATE a SET b = 1; CALL p();",
      1,
      "the catalog doesn't show whether rows",
    ],
    ["-- release: hotfix", 1, "no statement that makes or changes an object"],
    ["-- releases: batch size 5\nDELETE FROM a;", 1, "it is written"],
    ["\n-- release: bacth\nUPDATE a SET b = 1;", 2, '"-- release: batch" is'],
    ["-- release: batch sice 100\nUPDATE a SET b = 1;", 1, '"sice 100" is none of'],
    ["-- release: batch size 0\nUPDATE a SET b = 1;", 1, '"size 0" is none of'],
    ["SELECT 1; -- release: batch\nUPDATE a SET b = 1;", 1, "behind a statement"],
    ["UPDATE a\n-- release: batch\nSET b = 1;", 2, "in the middle of a statement"],
    ["UPDATE a SET b = 1;\n-- release: batch", 2, "no statement below"],
    ["BEGIN;\n-- release: batch\nUPDATE a SET b = 1;\nCOMMIT;", 2, "inside BEGIN"],
    ["-- release: batch\n-- release: batch size 5\nUPDATE a SET b = 1;", 2, "twice"],
  ])("that can't be followed are none, and are told: %j", (sql, line, problem) => {
    const { badDirectives, contract } = plan(sql);
    expect(contract).toBe(false);
    expect(badDirectives).toMatchObject([{ line, certain: true, problem: expect.stringContaining(problem) }]);
  });

  test("a hotfix makes an object, and waits for no rollout", () => {
    expect(plan("-- release: hotfix\nSET lock_timeout = 1; CREATE INDEX i ON t (a);")).toMatchObject({
      hotfix: true,
      contract: false,
      badDirectives: [],
    });
    expect(plan("CREATE INDEX i ON t (a);").hotfix).toBe(false);
    expect(plan("-- release: contract\n-- release: hotfix\nDROP TABLE a;").badDirectives).toMatchObject([
      { line: 2, certain: true, problem: expect.stringContaining("can't wait for a rollout") },
    ]);
  });

  test("are perhaps meant by a comment with another word, and by no sentence", () => {
    expect(plan("-- release: expand\nSELECT 1;").badDirectives).toMatchObject([{ line: 1, certain: false }]);
    for (const sql of [
      "-- Release: 1.4.2\nSELECT 1;",
      "-- release notes: contract with the vendor\nSELECT 1;",
      "-- releases the contract\nSELECT 1;",
      "-- see release: contract\nSELECT 1;",
      "SELECT '-- release: contact';",
      "/*\n-- release: contact\n*/ SELECT 1;",
    ])
      expect(plan(sql).badDirectives, sql).toEqual([]);
  });

  test("are nothing inside block comments, strings, statements or a sentence", () => {
    for (const sql of [
      "/*\n-- release: contract\n*/ SELECT 1;",
      "SELECT '\n-- release: contract\n';",
      "SELECT\n-- release: contract\n1;",
      "-- see release: contract\nSELECT 1;",
      "-- release:\nSELECT 1;",
    ])
      expect(plan(sql).contract, sql).toBe(false);
  });
});

test.each([
  ['CREATE UNIQUE INDEX CONCURRENTLY "i" ON t (a)', "CREATE UNIQUE INDEX CONCURRENTLY"],
  ["ALTER TABLE t ADD a int", "ALTER TABLE"],
  ["ALTER TABLE t RENAME a TO b", "ALTER TABLE"],
  ["ALTER INDEX i RENAME TO j", "ALTER INDEX"],
  ["ALTER TYPE e ADD VALUE 'a'", "ALTER TYPE"],
  ["ALTER TYPE e RENAME TO f", "ALTER TYPE"],
  ["DROP MATERIALIZED VIEW m", "DROP MATERIALIZED VIEW"],
  ["CREATE MATERIALIZED VIEW m AS SELECT 1", "CREATE MATERIALIZED VIEW"],
  ["CREATE TABLE c AS SELECT 1", "CREATE TABLE AS"],
  ["ANALYZE t", "ANALYZE"],
  ["REVOKE ALL ON t FROM PUBLIC", "REVOKE"],
  ["CREATE EXTENSION pgcrypto", "CREATE EXTENSION"],
  ["START TRANSACTION", "START"],
  ["COMMENT ON TABLE t IS 'x'", "COMMENT"],
])("%s is called %s", (sql, kind) => {
  expect(plan(sql).statements[0]?.kind).toBe(kind);
});
