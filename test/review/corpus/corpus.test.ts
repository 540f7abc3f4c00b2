import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MajorUnavailable, NEWEST, OLDEST } from "../../../embedded/majors";
import { checksumOf } from "../../../migrations/history/history";
import type { Effect } from "../../../migrations/schema/effect";
import { Schema } from "../../../migrations/schema/schema";
import { lockModes } from "../../../migrations/sql/locks";
import { loadParser, parseScript } from "../../../migrations/sql/parse";
import { apply, effectOf, refusedInTransaction } from "../../../migrations/statements/statements";
import { reviewRelease } from "../../../review/review";
import type { TestPostgres } from "../../support/postgres";
import { startServer } from "../../support/server";
import { before, rows, violations } from "./before";
import { Observer } from "./observe";
import { differing, refused, statements, taken } from "./statements";

/** Where the oldest major takes a weaker lock than the newest: the stronger one is told. */
const weakerBefore =
  /DETACH PARTITION (event_2024|log_1)|ADD CONSTRAINT c UNIQUE \(id, k\)|(ATTACH PARTITION|CREATE TABLE) measure_/;
/** What the oldest major's grammar doesn't know. */
const newer = /ENFORCED|SET EXPRESSION/;
/** Statements that read a table without holding a lock on it that could block anybody. */
const readers =
  /REFERENCES|VALIDATE|FOREIGN KEY|AS SELECT|REFRESH|^SELECT|^UPDATE|^DELETE|^INSERT|^WITH|LIKE|^CREATE TABLE|^EXPLAIN|ATTACH PARTITION measure/;

beforeAll(() => loadParser());

function judged(sql: string): Effect {
  const schema = new Schema();
  for (const { node } of parseScript(before)) apply(node, schema, "before");
  return effectOf([...parseScript(sql)][0]!.node, schema);
}

/** In the words of the corpus. */
function told(sql: string): string {
  const { tables, unknown } = judged(sql);
  if (unknown !== undefined) return "unknown";
  const words = { none: "", rows: "", scan: " scan", index: " scan", rewrite: " rewrite" };
  return tables
    .filter(({ lock }) => lockModes.indexOf(lock) >= lockModes.indexOf("ROW EXCLUSIVE"))
    .map(({ name, lock, work }) => `${name.name} ${lock}${/^TRUNCATE/.test(sql) ? " emptied" : words[work]}`)
    .sort()
    .join(", ");
}

/** Whether the review says that a statement may fail, at rows or always. */
function saysFailing(sql: string): boolean {
  const migration = (name: string, text: string) => ({ name, sql: text, checksum: checksumOf(text) });
  const base = migration("1_before", before);
  const { findings } = reviewRelease({ history: [base, migration("2_statement", sql)], applied: [base] });
  return findings.some(({ classes }) => classes.includes("failing"));
}

describe("the review", () => {
  test("has a corpus of at least 150 different statements", () => {
    expect(new Set(statements.map(([sql]) => sql)).size).toBe(statements.length);
    expect(statements.length).toBeGreaterThanOrEqual(150);
  });

  test.each(statements)("tells what %s does", (sql, expected) => {
    expect(told(sql)).toBe(expected);
  });
});

describe.each([OLDEST, NEWEST])("Postgres %i", (major) => {
  let server: TestPostgres | undefined;
  /** Why this major can't be tried here: its binaries are downloaded, once a machine. */
  let unavailable: string | undefined;
  let observer: Observer;
  const reset = async () => {
    await observer?.end();
    observer = await Observer.connect(await server!.createDatabase());
    await observer.run(`CREATE SCHEMA other; ${before} ${rows}`);
  };
  beforeAll(async () => {
    try {
      server = await startServer({ major });
    } catch (error) {
      if (!(error instanceof MajorUnavailable)) throw error;
      unavailable = error.message;
      return;
    }
    await reset();
  }, 180_000);
  afterAll(async () => {
    await observer?.end();
    await server?.stop();
  });

  const waiting = async (sql: string) => {
    try {
      return await observer.waiting(sql, "author");
    } finally {
      await reset();
    }
  };
  const tried = statements.filter(([sql]) => major === NEWEST || !(weakerBefore.test(sql) || newer.test(sql)));
  test.for(tried)("confirms %s", async ([sql, expected], { skip }) => {
    if (unavailable !== undefined) return skip(unavailable);
    const outside = refusedInTransaction([...parseScript(sql)][0]!.node, sql) !== undefined;
    const seen = outside
      ? await waiting(sql)
      : // A time zone in which timestamp and timestamptz differ.
        await observer.inTransaction(sql, "SET LOCAL TimeZone = 'Asia/Tokyo'");
    if (expected === "unknown") return expect(seen.locks).not.toEqual({});
    const parts = expected.split(", ").filter(Boolean);
    const of = (work: RegExp) => parts.filter((part) => work.test(part)).map((part) => part.split(" ")[0]!);
    expect(seen.locks).toEqual(
      Object.fromEntries(
        parts
          .map((part) => /^(\S+) (.*?)( scan| rewrite| emptied)?$/.exec(part)!)
          .map(([, table, lock]) => [table, lock]),
      ),
    );
    expect(seen.rewritten).toEqual(of(/ (rewrite|emptied)$/).sort());
    if (outside) return;
    for (const table of of(/ scan$/)) expect(seen.scanned).toContain(table);
    // What isn't expected to read every row doesn't.
    if (!readers.test(sql))
      expect(of(/ (scan|rewrite|emptied)$/)).toEqual(
        expect.arrayContaining([...seen.scanned].filter((table) => !/emptied/.test(expected) && table !== "x")),
      );
  });

  describe("with rows that break what a statement demands", () => {
    let client: Client | undefined;
    const opened = async () => {
      if (client) return client;
      client = new Client({ connectionString: await server!.createDatabase() });
      await client.connect();
      await client.query(`SET statement_timeout = '20s'; CREATE SCHEMA other; ${before} ${rows} ${violations}`);
      return client;
    };
    const closed = async () => {
      await client?.end();
      client = undefined;
    };
    /** Whether it fails; nothing of it stays. */
    const fails = async (sql: string) => {
      const on = await opened();
      const outside = refusedInTransaction([...parseScript(sql)][0]!.node, sql) !== undefined;
      try {
        await on.query(outside ? sql : `BEGIN; ${sql}; SET CONSTRAINTS ALL IMMEDIATE`);
        return false;
      } catch {
        return true;
      } finally {
        await (outside ? closed() : on.query("ROLLBACK"));
      }
    };
    const met = { agreed: 0, failed: 0, differing: 0 };
    afterAll(async () => {
      await closed();
      if (met.agreed > 0)
        console.log(
          `Postgres ${major}, rows that break something: ${met.agreed} verdicts on failing agree (${met.failed} fail), ${met.differing} differ for a reason that is listed.`,
        );
    });

    const known = statements.filter(([sql]) => major === NEWEST || !newer.test(sql));
    test.for(known)("the review says whether this fails: %s", async ([sql], { skip }) => {
      if (unavailable !== undefined) return skip(unavailable);
      const [failed, said] = [await fails(sql), saysFailing(sql)];
      if (differing[sql] !== undefined) {
        met.differing++;
        return expect(failed, "no longer differs").not.toBe(said);
      }
      expect(failed).toBe(said);
      met.agreed++;
      if (failed) met.failed++;
    });
  });

  // DETACH … CONCURRENTLY came with 14.
  test.for(refused.filter((sql) => major === NEWEST || !/DETACH/.test(sql)))("refuses %s", async (sql, { skip }) => {
    if (unavailable !== undefined) return skip(unavailable);
    await expect(observer.run(sql)).rejects.toThrow(
      /partitioned|partition key|default partition|foreign key constraint|No such file or directory/,
    );
  });

  test.for(taken)("takes %s", async (sql, { skip }) => {
    if (unavailable !== undefined) return skip(unavailable);
    await observer.inTransaction(sql);
  });
});
