import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { checksumOf, type Migration, readHistorySync } from "../../migrations/history/history";
import type { Finding } from "../../review/finding";
import { formatReview, reviewFormats } from "../../review/formats";
import { loadParser, type Review, type ReviewInput, reviewRelease } from "../../review/review";
import { sizeOf } from "../../review/size";
import type { Sizes } from "../../text/table-size";
import { before } from "./corpus/before";
import { refused, statements, taken } from "./corpus/statements";

beforeAll(() => loadParser());

const migration = (name: string, sql: string): Migration => ({ name, sql, checksum: checksumOf(sql) });

/** Deployed long ago. */
const base = migration(
  "1_base",
  `CREATE TYPE "Role" AS ENUM ('USER', 'ADMIN', 'GUEST');
   CREATE TABLE "User" ("id" SERIAL PRIMARY KEY, "email" TEXT NOT NULL, "name" TEXT, "role" "Role" NOT NULL DEFAULT 'USER', "age" INT, "size" BIGINT, "kind" TEXT NOT NULL DEFAULT 'a');
   CREATE TABLE "Post" ("id" SERIAL PRIMARY KEY, "authorId" INT NOT NULL REFERENCES "User" ("id"), "title" TEXT);
   CREATE INDEX "User_age_idx" ON "User" ("age");
   CREATE UNIQUE INDEX "User_email_key" ON "User" ("email");
   CREATE VIEW names AS SELECT "name" FROM "User";
   CREATE FUNCTION hello() RETURNS text LANGUAGE sql AS 'SELECT ''hello''';`,
);

function review(sql: string, more: Partial<ReviewInput> = {}): Review {
  const history = [base, migration("2_new", sql)];
  return reviewRelease({ history, applied: [base], ...more });
}

const rules = (found: Review) => found.findings.map(({ rule, severity }) => `${rule} ${severity}`).sort();
const the = (found: Review, rule: string): Finding => found.findings.find((finding) => finding.rule === rule)!;
const large: Sizes = {
  tables: { User: { rows: 40_000_000, bytes: 12 * 2 ** 30 }, Post: { rows: 500, bytes: 200_000 } },
};

describe("what a migration is found to do", () => {
  test.each<[sql: string, ...expected: string[]]>([
    ['ALTER TABLE "User" ADD COLUMN "x" INT'],
    [`ALTER TABLE "User" ADD COLUMN "x" INT NOT NULL DEFAULT 1`],
    ['CREATE TABLE "New" ("id" INT PRIMARY KEY, "userId" INT REFERENCES "User" ("id"))'],
    ['CREATE INDEX CONCURRENTLY i ON "User" ("name")'],
    ['INSERT INTO "User" ("email") VALUES (\'a\')'],
    ['UPDATE "User" SET "name" = \'a\' WHERE "id" = 1'],
    ["CREATE EXTENSION IF NOT EXISTS pgcrypto"],
    ["SET lock_timeout = 0", "waits-for-ever warning"],
    ["SET LOCAL lock_timeout = '0s'", "waits-for-ever warning"],
    ["SET search_path TO public"],
    ["SET search_path TO tenant, public", "not-judged warning"],
    [`WITH gone AS (DELETE FROM "Post" RETURNING *) SELECT * FROM gone`, "delete-all error", "many-rows warning"],
    [
      `CREATE TABLE n (id INT); CREATE TABLE m (id INT); WITH one AS (INSERT INTO n VALUES (1) RETURNING id), two AS (INSERT INTO m SELECT id FROM one RETURNING id) SELECT * FROM two`,
    ],
    [`WITH u AS (SELECT 1 AS id) UPDATE "User" SET "name" = 'x' FROM u WHERE "User"."age" > u.id`, "many-rows warning"],
    [
      `MERGE INTO "User" u USING "Post" p ON p."authorId" = u."id" WHEN MATCHED THEN UPDATE SET "name" = p."title"`,
      "many-rows warning",
    ],
    ["SET lock_timeout = '1s'"],
    [
      'CREATE TABLE "New" ("id" INT); CREATE INDEX i ON "New" ("id"); ALTER TABLE "New" ALTER COLUMN "id" SET NOT NULL; DROP TABLE "New"',
    ],
    ['ALTER TABLE "User" ADD COLUMN "x" INT NOT NULL', "required-column error", "scan-under-lock warning"],
    ['ALTER TABLE "User" ADD COLUMN "x" UUID DEFAULT gen_random_uuid()', "rewrite-blocks warning"],
    ['ALTER TABLE "User" ADD COLUMN "x" SERIAL', "rewrite-blocks warning"],
    ['ALTER TABLE "User" DROP COLUMN "age"', "drop-column error"],
    ['ALTER TABLE "User" DROP COLUMN "name"', "drop-column error", "has-dependents error"],
    ['ALTER TABLE "User" DROP COLUMN "age", ADD COLUMN "years" INT', "drop-column error", "rename-as-drop error"],
    ['ALTER TABLE "User" DROP COLUMN "age", ADD COLUMN "years" TEXT', "drop-column error"],
    ['ALTER TABLE "User" RENAME COLUMN "name" TO "title"', "rename-column error"],
    ['ALTER TABLE "User" RENAME TO "Account"', "rename-table error"],
    ['ALTER TABLE "User" SET SCHEMA other', "move-table error"],
    ['DROP TABLE "Post"', "drop-table error"],
    [
      'DROP TABLE "Post"; CREATE TABLE "Article" ("id" SERIAL PRIMARY KEY, "authorId" INT, "title" TEXT)',
      "drop-table error",
      "rename-as-drop error",
    ],
    [
      'DROP TABLE "Post"; CREATE TABLE "Post" ("id" SERIAL PRIMARY KEY, "authorId" INT, "title" TEXT)',
      "drop-table error",
    ],
    [
      'CREATE TABLE "Article" ("id" SERIAL PRIMARY KEY, "authorId" INT, "title" TEXT); INSERT INTO "Article" SELECT "id", "authorId", "title" FROM "Post"; DROP TABLE "Post"',
      "drop-table error",
      "many-rows warning",
    ],
    [
      'ALTER TABLE "User" ADD COLUMN "years" INT; UPDATE "User" SET "years" = "age"; ALTER TABLE "User" DROP COLUMN "age"',
      "drop-column error",
      "lock-held warning",
      "many-rows warning",
    ],
    [
      'ALTER TABLE "Post" DROP CONSTRAINT "Post_authorId_fkey"; ALTER TABLE "Post" ADD CONSTRAINT "Post_authorId_fkey" FOREIGN KEY ("authorId") REFERENCES "User" ("id") ON DELETE CASCADE',
      "drop-constraint info",
      "scan-under-lock warning",
    ],
    ['DROP SEQUENCE "User_id_seq"', "drop-sequence info"],
    ["DROP VIEW names", "drop-view warning"],
    ['DROP VIEW names; CREATE VIEW names AS SELECT "email" FROM "User"'],
    ["DROP FUNCTION hello(); CREATE FUNCTION hello() RETURNS int LANGUAGE sql AS 'SELECT 1'"],
    ['ALTER TABLE "User" ALTER COLUMN "age" TYPE DOUBLE PRECISION', "change-type info", "rewrite-blocks warning"],
    ['ALTER TABLE "User" ALTER COLUMN "size" TYPE DOUBLE PRECISION', "narrow-type error", "rewrite-blocks warning"],
    [
      `ALTER TYPE "Role" RENAME TO "Role_old"; CREATE TYPE "Role" AS ENUM ('USER', 'ADMIN', 'GUEST', 'OWNER');
       ALTER TABLE "User" ALTER COLUMN "role" DROP DEFAULT; ALTER TABLE "User" ALTER COLUMN "role" TYPE "Role" USING "role"::text::"Role";
       ALTER TABLE "User" ALTER COLUMN "role" SET DEFAULT 'USER'; DROP TYPE "Role_old"`,
      "drop-default warning",
      "rewrite-blocks warning",
    ],
    ["DROP FUNCTION hello()", "drop-function warning"],
    ['DROP TYPE "Role" CASCADE', "drop-type error"],
    ["DROP SCHEMA public CASCADE", "drop-schema error"],
    ["DROP DATABASE app", "drop-database error"],
    ['TRUNCATE "Post"', "delete-all error"],
    ['DELETE FROM "Post"', "delete-all error", "many-rows warning"],
    [`DELETE FROM "Post" WHERE "title" = 'x'`, "delete-rows warning", "many-rows warning"],
    [`DELETE FROM "Post" WHERE "id" IN (1, 2, 3)`, "delete-rows warning"],
    [`DELETE FROM "Post" WHERE "id" = ANY (ARRAY[1, 2]) AND "title" = 'x'`, "delete-rows warning"],
    [`DELETE FROM "Post" WHERE true`, "delete-all error", "many-rows warning"],
    [`UPDATE "User" SET "name" = 'x' WHERE "name" IS NULL`, "many-rows warning"],
    [`UPDATE "User" SET "name" = p."title" FROM "Post" p WHERE p."authorId" = "User"."id"`, "many-rows warning"],
    [`UPDATE "User" SET "name" = 'x' WHERE "email" = 'a@example.com'`],
    [`UPDATE "User" u SET "name" = v.n FROM (VALUES (1, 'a'), (2, 'b')) AS v (id, n) WHERE u."id" = v.id`],
    [`UPDATE "User" SET "name" = 'x' WHERE "email" > 'a'`, "many-rows warning"],
    [`UPDATE "User" SET "name" = 'x' WHERE 1 = 1`, "many-rows warning"],
    ['EXPLAIN ANALYZE DELETE FROM "Post"', "delete-all error", "many-rows warning"],
    ['EXPLAIN DELETE FROM "Post"'],
    ['COPY (DELETE FROM "Post" RETURNING *) TO STDOUT', "delete-all error", "many-rows warning"],
    [`UPDATE "User" SET "name" = 'x'`, "many-rows warning"],
    [`-- release: batch\nUPDATE "User" SET "name" = 'x'`],
    ['INSERT INTO "Post" ("authorId") SELECT "id" FROM "User"', "many-rows warning"],
    ['CREATE INDEX i ON "User" ("name")', "index-blocks-writes warning"],
    ['CREATE UNIQUE INDEX i ON "User" ("name")', "index-blocks-writes warning", "new-unique warning"],
    ['CREATE UNIQUE INDEX CONCURRENTLY i ON "User" ("name")', "new-unique warning"],
    ['DROP INDEX "User_age_idx"', "drop-index-locks info"],
    ['DROP INDEX "User_email_key"', "drop-index-locks info", "drop-unique warning"],
    [`-- release: contract\nDROP INDEX "User_email_key"`, "drop-index-locks info"],
    [
      'DROP INDEX "User_email_key"; CREATE UNIQUE INDEX k ON "User" ("email")',
      "drop-index-locks info",
      "index-blocks-writes warning",
    ],
    ['ALTER TABLE "User" DROP CONSTRAINT "User_pkey" CASCADE', "drop-constraint info", "drop-unique warning"],
    [
      `WITH gone AS (DELETE FROM "Post" RETURNING 1) INSERT INTO "User" ("email") VALUES ('x')`,
      "delete-all error",
      "many-rows warning",
    ],
    [
      'DROP INDEX "User_email_key"; ALTER TABLE "User" DROP COLUMN "email"',
      "drop-column error",
      "drop-index-locks info",
    ],
    ['ALTER TABLE "User" ALTER COLUMN "age" TYPE DECIMAL(65,30)', "change-type info", "rewrite-blocks warning"],
    ['ALTER TABLE "User" ALTER COLUMN "age" TYPE DECIMAL(12,4)', "narrow-type error", "rewrite-blocks warning"],
    ['REINDEX TABLE "User"', "reindex-blocks warning"],
    ['VACUUM FULL "User"', "rewrite-blocks warning"],
    ['CLUSTER "User" USING "User_age_idx"', "rewrite-blocks warning"],
    ['ALTER TABLE "User" ALTER COLUMN "name" SET NOT NULL', "new-not-null warning", "scan-under-lock warning"],
    ['ALTER TABLE "User" ALTER COLUMN "email" DROP NOT NULL', "nullable info"],
    ['ALTER TABLE "User" ALTER COLUMN "kind" DROP DEFAULT', "drop-default warning"],
    [
      `ALTER TABLE "User" ADD COLUMN "x" TEXT NOT NULL DEFAULT 'a'; ALTER TABLE "User" ALTER COLUMN "x" DROP DEFAULT`,
      "drop-default error",
    ],
    ['ALTER TABLE "User" ALTER COLUMN "age" TYPE BIGINT', "change-type info", "rewrite-blocks warning"],
    ['ALTER TABLE "User" ALTER COLUMN "size" TYPE INT', "narrow-type error", "rewrite-blocks warning"],
    ['ALTER TABLE "User" ALTER COLUMN "email" TYPE VARCHAR(50)', "narrow-type error", "rewrite-blocks warning"],
    ['ALTER TABLE "User" ADD CONSTRAINT c CHECK ("age" > 0)', "new-check warning", "scan-under-lock warning"],
    ['ALTER TABLE "User" ADD CONSTRAINT c CHECK ("age" > 0) NOT VALID', "new-check info"],
    ['ALTER TABLE "User" ADD CONSTRAINT c UNIQUE ("name")', "index-under-lock warning", "new-unique warning"],
    [
      'ALTER TABLE "Post" ADD CONSTRAINT c FOREIGN KEY ("id") REFERENCES "User" ("id")',
      "new-foreign-key warning",
      "scan-under-lock warning",
    ],
    ['ALTER TABLE "Post" DROP CONSTRAINT "Post_authorId_fkey"', "drop-constraint info"],
    ['ALTER TABLE "User" SET UNLOGGED', "rewrite-blocks warning", "set-unlogged error"],
    ['ALTER TABLE "User" ENABLE ROW LEVEL SECURITY', "row-security warning"],
    ['REVOKE SELECT ON "User" FROM app', "revoke warning"],
    [`ALTER TYPE "Role" ADD VALUE 'OWNER'`, "new-enum-value info"],
    [`ALTER TYPE "Role" RENAME VALUE 'USER' TO 'PERSON'`, "rename-enum-value error"],
    ['ALTER TYPE "Role" RENAME TO "Rank"', "rename-type warning"],
    [`DO $$ BEGIN EXECUTE 'DROP TABLE x'; END $$`, "not-judged warning"],
    ["SELECT delete_everything()", "not-judged warning"],
    ["CALL delete_everything()", "not-judged warning"],
    [
      `DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM "User") THEN ALTER TABLE "User" DROP COLUMN "age"; END IF; END $$`,
      "drop-column error",
    ],
    [`DO $$ BEGIN CREATE TYPE x AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN NULL; END $$`],
    ["SELEC 1", "syntax-error error"],
    ['BEGIN; ALTER TABLE "User" ADD COLUMN "x" INT; COMMIT', "own-transaction info"],
    [
      'ALTER TABLE "Post" ADD COLUMN "x" INT; BEGIN; ALTER TABLE "User" ADD COLUMN "x" INT; COMMIT',
      "own-transaction warning",
    ],
    [
      'BEGIN; CREATE INDEX CONCURRENTLY i ON "User" ("name"); COMMIT',
      "concurrently-in-transaction error",
      "own-transaction info",
    ],
    ['ALTER TABLE "User" ADD COLUMN "x" INT; CREATE INDEX CONCURRENTLY i ON "User" ("x")', "half-applied warning"],
    [
      `ALTER TABLE "User" ADD COLUMN "x" INT; UPDATE "Post" SET "title" = 'x'`,
      "lock-held warning",
      "many-rows warning",
    ],
    [
      `CREATE TYPE "Role_new" AS ENUM ('USER', 'ADMIN'); ALTER TABLE "User" ALTER COLUMN "role" DROP DEFAULT;
       ALTER TABLE "User" ALTER COLUMN "role" TYPE "Role_new" USING ("role"::text::"Role_new"); ALTER TYPE "Role" RENAME TO "Role_old";
       ALTER TYPE "Role_new" RENAME TO "Role"; DROP TYPE "Role_old"; ALTER TABLE "User" ALTER COLUMN "role" SET DEFAULT 'USER'`,
      "drop-default warning",
      "remove-enum-value error",
      "rewrite-blocks warning",
    ],
  ])("%s", (sql, ...expected) => {
    expect(rules(review(sql))).toEqual([...expected].sort());
  });

  test("a first release touches nothing that anybody uses", () => {
    const sql = 'ALTER TABLE "User" DROP COLUMN "age"; CREATE INDEX i ON "User" ("name"); DROP TABLE "Post";';
    const found = reviewRelease({ history: [base, migration("2_new", sql)] });
    expect(found).toMatchObject({ first: true, findings: [], statements: [] });
  });

  test("every finding says what happens, to whom and for how long", () => {
    const sql = 'DROP TABLE "Post"; CREATE INDEX i ON "User" ("name"); ALTER TABLE "User" RENAME "name" TO "x";';
    for (const { what, who, howLong } of review(sql).findings)
      for (const text of [what, who, howLong]) expect(text.length).toBeGreaterThan(5);
  });
});

describe("what may be a rename", () => {
  test("is taken for the one whose name is most like the old one's", () => {
    const sql = 'ALTER TABLE "User" DROP COLUMN "name", ADD COLUMN "address" TEXT, ADD COLUMN "fullName" TEXT';
    expect(the(review(sql), "rename-as-drop")).toMatchObject({
      what: expect.stringContaining("adds `fullName` or `address`"),
      safe: { migrations: expect.arrayContaining([expect.stringContaining('ADD COLUMN "fullName"')]) },
    });
  });

  test("is none where the new table has many more columns", () => {
    const made = (more: string) =>
      `DROP TABLE "Post"; CREATE TABLE "Article" ("id" INT, "authorId" INT, "title" TEXT${more});`;
    expect(the(review(made("")), "rename-as-drop")).toBeDefined();
    expect(the(review(made(", a INT, b INT, c INT, d INT")), "rename-as-drop")).toBeUndefined();
  });
});

describe("an added enum value", () => {
  test("is not used by a value of another type that has the same name", () => {
    const both = `ALTER TYPE "Role" ADD VALUE 'OWNER'; CREATE TYPE "Rank" AS ENUM ('OWNER'); ALTER TYPE other ADD VALUE 'OWNER';`;
    expect(rules(review(both)).filter((rule) => rule.startsWith("half-applied"))).toEqual([]);
    const used = `ALTER TYPE "Role" ADD VALUE 'OWNER'; UPDATE "User" SET "role" = 'OWNER' WHERE "id" = 1;`;
    expect(rules(review(used))).toContain("half-applied warning");
  });

  const add = `ALTER TYPE "Role" ADD VALUE 'OWNER';`;
  test.each([
    `INSERT INTO "User" ("id", "role") VALUES (7, 'OWNER')`,
    `ALTER TABLE "User" ALTER COLUMN "role" SET DEFAULT 'OWNER'`,
    `ALTER TABLE "Post" ADD COLUMN "as" "Role" NOT NULL DEFAULT 'OWNER'`,
    `UPDATE "User" SET "name" = 'x' WHERE "role" IN ('USER', 'OWNER')`,
    `CREATE VIEW owners AS SELECT * FROM "User" u WHERE u."role" = 'OWNER'`,
    `SELECT 'OWNER'::"Role"`,
  ])("is used at once by %s, which is said, and fails inside BEGIN and COMMIT", (sql) => {
    expect(rules(review(`${add} ${sql}`))).toContain("half-applied warning");
    expect(rules(review(`BEGIN; ${add} ${sql}; COMMIT`))).toContain("enum-value-in-transaction error");
    expect(rules(review(`BEGIN; ${add} COMMIT; ${sql}`))).not.toContain("enum-value-in-transaction error");
  });

  test.each([
    `CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN UPDATE "User" SET "role" = 'OWNER'; END $$`,
    `COMMENT ON TABLE "User" IS 'OWNER'`,
    `ALTER TABLE "Post" ADD COLUMN "kind" text NOT NULL DEFAULT 'OWNER'`,
    `UPDATE "User" SET "name" = 'OWNER' WHERE "role" = 'USER'`,
    `UPDATE "User" SET "name" = 'x' WHERE "role"::text = 'OWNER'`,
  ])("is not used by %s: one transaction", (sql) => {
    expect(rules(review(`${add} ${sql}`)).filter((rule) => rule.startsWith("half-applied"))).toEqual([]);
  });
});

describe("changes of rows", () => {
  const many = (sql: string) => the(review(sql), "many-rows");

  test("batches are proposed only where the migrator can cut the statement", () => {
    expect(many(`UPDATE "User" SET "name" = 'x'`).safe?.migrations).toEqual([
      `-- release: batch\nUPDATE "User" SET "name" = 'x';`,
    ]);
    expect(many(`INSERT INTO "Post" ("authorId") SELECT "id" FROM "User"`).safe).toBeDefined();
    expect(many(`INSERT INTO "Post" ("authorId") SELECT max("id") FROM "User" GROUP BY "age"`).safe).toBeUndefined();
    expect(many(`WITH gone AS (DELETE FROM "Post" RETURNING *) SELECT * FROM gone`).safe).toMatchObject({
      migrations: [],
    });
  });

  test("what is overwritten is lost; NULLs are not", () => {
    expect(many(`UPDATE "User" SET "name" = 'x'`).irreversible).toMatch(/overwrites/);
    expect(many(`UPDATE "User" SET "name" = 'x' WHERE "name" IS NULL AND "age" > 3`).irreversible).toBeUndefined();
  });
});

describe("sizes", () => {
  test("of a table that is named as every object's constructor is are unknown where none was recorded", () => {
    for (const name of ["constructor", "__proto__"]) expect(sizeOf({ name }, { tables: {} })).toBeUndefined();
  });

  const index = (table: string) => `CREATE INDEX i ON "${table}" ("id");`;
  test("decide the severity and the band", () => {
    const big = the(review(index("User"), { stats: large }), "index-blocks-writes");
    expect(big).toMatchObject({ severity: "error", howLong: "Minutes (12 GiB, 40.0 million rows)" });
    const small = the(review(index("Post"), { stats: large }), "index-blocks-writes");
    expect(small).toMatchObject({ severity: "info", howLong: "Under 1 s (195 KiB, 500 rows)" });
    const unknown = the(review(index("User")), "index-blocks-writes");
    expect(unknown).toMatchObject({ severity: "warning", howLong: "Grows with the table, whose size is unknown" });
  });

  test("are found under the name with its schema too", () => {
    const stats = { tables: { "public.User": { rows: 1, bytes: 8192 } } };
    expect(the(review(index("User"), { stats }), "index-blocks-writes").severity).toBe("info");
  });

  test("a table that is known to be empty takes a required column", () => {
    const stats = { tables: { User: { rows: 0, bytes: 0 } } };
    expect(the(review('ALTER TABLE "User" ADD "x" INT NOT NULL', { stats }), "required-column").severity).toBe(
      "warning",
    );
  });
});

describe("the history", () => {
  test("an edited, a missing and a late migration are found", () => {
    const history = [base, migration("15_late", ""), migration("3_c", "SELECT 2;")];
    const applied = [base, { name: "2_b" }, { name: "3_c", checksum: checksumOf("SELECT 1;") }];
    const found = reviewRelease({ history, applied });
    expect(found.findings.map(({ rule, migration: name }) => [rule, name])).toEqual(
      expect.arrayContaining([
        ["missing", "2_b"],
        ["edited", "3_c"],
        ["out-of-order", "15_late"],
      ]),
    );
    expect(found.findings).toHaveLength(3);
  });

  test("nothing may follow a contract migration but another one", () => {
    const contract = migration("2_contract", '-- release: contract\nALTER TABLE "User" DROP COLUMN "name";');
    const more = migration("3_contract", '-- release: contract\nALTER TABLE "User" DROP COLUMN "age";');
    const plain = migration("4_more", "SELECT 1;");
    const found = reviewRelease({ history: [base, contract, more, plain], applied: [base] });
    expect(found.findings.filter(({ rule }) => rule === "after-contract")).toMatchObject([{ migration: "4_more" }]);
    expect(found.migrations.map((item) => item.contract)).toEqual([true, true, false]);
    // The old pods are gone by then, the data is so all the same.
    expect(the(found, "drop-column").classes).toEqual(["destructive"]);
  });

  test("the Prisma CLI is told where it would leave a migration half applied", () => {
    const sql = 'ALTER TABLE "User" ADD "x" INT; ALTER TABLE "User" ADD "y" INT;';
    expect(rules(review(sql))).toEqual([]);
    expect(rules(review(sql, { runner: "command" }))).toEqual(["half-applied warning"]);
  });
});

describe("the example app", () => {
  const history = readHistorySync(join(__dirname, "../../examples/app/prisma/migrations"));

  test("no false alarm: nothing but a backfill of rows that nobody counted, and the column that its contract migration drops", () => {
    const due: Record<string, string> = {
      backfill_note_subject: "many-rows notes",
      contract_note_title: "drop-column notes.title",
    };
    for (let count = 0; count < history.length; count++) {
      const found = reviewRelease({ history: history.slice(0, count + 1), applied: history.slice(0, count) });
      const alarms = found.findings.filter(({ severity }) => severity !== "info").map(({ id }) => id);
      expect(alarms, history[count]?.name).toEqual(
        Object.entries(due).flatMap(([name, id]) => (history[count]?.name.endsWith(name) ? [id] : [])),
      );
    }
  });

  test("the destructive migration is refused in prod and allowed in dev, from the same code", () => {
    const release = { history, applied: history.slice(0, -1) };
    const prod = reviewRelease({ ...release, policy: { refuse: ["destructive", "blocking"] } });
    const dev = reviewRelease({ ...release, policy: { refuse: [] } });
    expect(prod.refused.map(({ id }) => id)).toEqual(["drop-column notes.title"]);
    expect(dev.refused).toEqual([]);
    expect(dev.findings).toEqual(prod.findings);
  });
});

describe("every statement of the corpus", () => {
  test("is reviewed and printed in every format, alone and behind every other kind", () => {
    const history = [migration("1_before", before)];
    const all = statements.map(([sql], index) => migration(`2_${String(index).padStart(4, "0")}`, `${sql};`));
    const each = all.map((item) => reviewRelease({ history: [...history, item], applied: history }));
    const together = reviewRelease({ history: [...history, ...all], applied: history, runner: "command" });
    for (const found of [...each, together])
      for (const format of reviewFormats) expect(formatReview(found, format).length).toBeGreaterThan(10);
    // What blocks writes for a second or longer is always said.
    for (const [index, [sql, expected]] of statements.entries())
      if (
        /(ACCESS EXCLUSIVE|SHARE ROW EXCLUSIVE|SHARE|EXCLUSIVE) (scan|rewrite)/.test(expected) &&
        !/UPDATE EXCLUSIVE/.test(expected)
      )
        expect(
          each[index]?.findings.some(({ classes }) => classes.includes("blocking")),
          sql,
        ).toBe(true);
  });

  test.each(refused)("that Postgres refuses is found to fail: %s", (sql) => {
    const history = [migration("1_before", before), migration("2_new", `${sql};`)];
    const { findings } = reviewRelease({ history, applied: [history[0]!] });
    expect(findings.filter(({ classes, severity }) => classes.includes("failing") && severity !== "info")).not.toEqual(
      [],
    );
  });

  test.each(taken)("that Postgres takes is not found to fail: %s", (sql) => {
    const history = [migration("1_before", before), migration("2_new", `${sql};`)];
    const { findings } = reviewRelease({ history, applied: [history[0]!] });
    expect(findings.filter(({ classes, severity }) => classes.includes("failing") && severity === "error")).toEqual([]);
  });
});
