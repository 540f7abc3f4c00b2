import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checksumOf } from "../../../migrations/history/history";
import { asRole, startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, preflightCheck, query, writeMigration } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

/** The row that the Prisma CLI leaves of a migration that failed. */
async function leaveUnfinished(url: string, name: string, logs = "ERROR: canceling statement"): Promise<void> {
  await query(
    url,
    "INSERT INTO _prisma_migrations (id, checksum, migration_name, logs) VALUES ($1, 'unknown', $2, $3)",
    [randomUUID(), name, logs],
  );
}

/** A database at `base`, on which the Prisma CLI failed in `failed` after `done` of its statements. */
async function failedAt(base: string, failed: string, done = ""): Promise<{ url: string; directory: string }> {
  const url = await postgres.createDatabase();
  const directory = historyOf({ "1_base": base });
  expect(await migrate(url, directory)).toMatchObject({ exit: 0 });
  writeMigration(directory, "2_failed", failed);
  if (done) await query(url, done);
  await leaveUnfinished(url, "2_failed");
  return { url, directory };
}

const ENUM = "CREATE TYPE s AS ENUM ('a', 'b'); CREATE TABLE t (id int PRIMARY KEY, v s DEFAULT 'a');";
const ENUM_REMOVAL =
  "BEGIN; CREATE TYPE s_new AS ENUM ('a'); ALTER TABLE t ALTER COLUMN v DROP DEFAULT; ALTER TABLE t ALTER COLUMN v TYPE s_new USING (v::text::s_new); ALTER TYPE s RENAME TO s_old; ALTER TYPE s_new RENAME TO s; DROP TYPE s_old; ALTER TABLE t ALTER COLUMN v SET DEFAULT 'a'; COMMIT;";
const PARENT =
  "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (id int, p int CONSTRAINT t_p_fkey REFERENCES p ON DELETE CASCADE);";

/** What is changed, how it is made, and how it is made anew: its name was there before. */
const REDEFINITIONS: [string, string, string][] = [
  ["a default", "CREATE TABLE t (id int, n int DEFAULT 3);", "ALTER TABLE t ALTER COLUMN n SET DEFAULT 10;"],
  ["a type", "CREATE TABLE t (id int, n int);", "ALTER TABLE t ALTER COLUMN n TYPE bigint;"],
  [
    "a view",
    "CREATE TABLE t (a int, b int); CREATE VIEW w AS SELECT a FROM t;",
    "CREATE OR REPLACE VIEW w AS SELECT a, b FROM t;",
  ],
  ["an index", "CREATE TABLE t (a int, b int); CREATE INDEX i ON t (a);", "DROP INDEX i; CREATE INDEX i ON t (a, b);"],
  [
    "an index's predicate",
    "CREATE TABLE t (a int); CREATE INDEX i ON t (a);",
    "DROP INDEX i; CREATE INDEX i ON t (a) WHERE a > 0;",
  ],
  [
    "a constraint",
    "CREATE TABLE t (a int CONSTRAINT c CHECK (a > 0));",
    "ALTER TABLE t DROP CONSTRAINT c; ALTER TABLE t ADD CONSTRAINT c CHECK (a > 1);",
  ],
  [
    "a foreign key's action",
    PARENT,
    "ALTER TABLE t DROP CONSTRAINT t_p_fkey; ALTER TABLE t ADD CONSTRAINT t_p_fkey FOREIGN KEY (p) REFERENCES p ON DELETE SET NULL;",
  ],
  ["an enum's values", ENUM, ENUM_REMOVAL],
  [
    "a function",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';",
    "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2';",
  ],
  [
    "a function's volatility",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';",
    "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';",
  ],
  [
    "a trigger",
    "CREATE TABLE t (a int); CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();",
    "DROP TRIGGER g ON t; CREATE TRIGGER g BEFORE UPDATE OF a ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();",
  ],
  ["a policy", "CREATE TABLE t (a int); CREATE POLICY y ON t USING (a > 0);", "ALTER POLICY y ON t USING (a > 1);"],
  ["a sequence", "CREATE SEQUENCE q;", "ALTER SEQUENCE q INCREMENT 10;"],
  ["a comment", "CREATE TABLE t (a int); COMMENT ON TABLE t IS 'one';", "COMMENT ON TABLE t IS 'two';"],
  ["privileges", "CREATE TABLE t (a int);", "GRANT SELECT ON t TO PUBLIC;"],
  ["a domain", "CREATE DOMAIN d AS int CHECK (VALUE > 0);", "ALTER DOMAIN d SET DEFAULT 5;"],
  ["a storage option", "CREATE TABLE t (a int);", "ALTER TABLE t SET (fillfactor = 50);"],
];

/** The pairs in one database: each with names of its own. */
function together(scripts: readonly string[]): string {
  return scripts
    .map((sql, index) => sql.replace(/\b(t_p_fkey|s_new|s_old|[tswicfgyqdp])\b/g, `$1_${index}`))
    .join("\n");
}

describe("a migration that the Prisma CLI left unfinished", () => {
  test("is told by definitions, not by names, before it and after it", async () => {
    const failed = together(REDEFINITIONS.map(([, , redefinition]) => redefinition));
    const { url, directory } = await failedAt(together(REDEFINITIONS.map(([, base]) => base)), failed);
    const before = await migrate(url, directory, "resolve", "--diagnose", "2_failed");
    expect(before.output).toContain("2_failed: nothing of it is applied.");
    expect(before.output).toContain("Next: npm run migrator -- resolve --rolled-back 2_failed");
    expect(before.output).not.toContain("--applied");
    for (const line of REDEFINITIONS.keys()) expect(before.output).toContain(`line ${line + 1}: not applied`);
    expect((await migrate(url, directory, "resolve", "--applied", "2_failed")).exit).toBe(4);

    await query(url, failed);
    const after = await migrate(url, directory, "resolve", "--diagnose", "2_failed");
    expect(after.output).toContain("2_failed: it is applied.");
    expect((await migrate(url, directory, "resolve", "--rolled-back", "2_failed")).exit).toBe(4);
    expect((await migrate(url, directory, "resolve", "--applied", "2_failed")).exit).toBe(0);
  });

  test("is told statement by statement where it stopped half-way, and of its rows nothing is said", async () => {
    const { url, directory } = await failedAt(
      "CREATE TABLE t (a int);",
      "ALTER TABLE t ADD COLUMN b int DEFAULT 1;\nCREATE INDEX i ON t (b);\nUPDATE t SET a = a + 1;\nCREATE INDEX j ON t (a);",
      "ALTER TABLE t ADD COLUMN b int DEFAULT 1; CREATE INDEX i ON t (b);",
    );
    const { output } = await migrate(url, directory, "resolve", "--diagnose", "2_failed");
    expect(output).toMatch(
      /line 1: applied .*\n.*\n.*line 2: applied .*\n.*\n.*line 3: unknown .*\n.*\n.*line 4: not applied/,
    );
    expect(output).toContain("Next: take back by hand what is applied");
    // By hand, with other columns than the file says.
    await query(url, "CREATE INDEX j ON t (b)");
    const other = await migrate(url, directory, "resolve", "--diagnose", "2_failed");
    expect(other.output).toMatch(/line 4: unknown .*\n.*index public.j is CREATE INDEX j .*\(b\)/);
    expect(other.output).not.toContain("--applied");
  });

  test.each([
    ["the role may not make a scratch database", true, "CREATE TABLE t (n int DEFAULT 3);"],
    [
      "the history can't be repeated elsewhere",
      false,
      "CREATE TABLE t (n int DEFAULT 3); DO $$ BEGIN PERFORM dblink(); EXCEPTION WHEN OTHERS THEN RAISE; END $$;",
    ],
  ])("is told by its names only where these are new, if %s", async (_, limited, base) => {
    const owner = await postgres.createDatabase();
    const database = new URL(owner).pathname.slice(1);
    const role = `role_${database}`;
    await query(owner, `CREATE ROLE ${role} LOGIN PASSWORD 'p'; ALTER DATABASE ${database} OWNER TO ${role}`);
    const url = limited ? asRole(owner, role, "p") : owner;
    const directory = historyOf({ "1_base": base.split(" DO ")[0]! });
    expect(await migrate(url, directory)).toMatchObject({ exit: 0 });
    // Another tool applied it: this program has recorded nothing of what it left.
    await query(url, "DROP SCHEMA _release CASCADE");
    writeMigration(directory, "1_base", base);
    await query(url, "UPDATE _prisma_migrations SET checksum = $1", [checksumOf(base)]);
    writeMigration(directory, "2_failed", "ALTER TABLE t ALTER COLUMN n SET DEFAULT 10;\nCREATE TABLE fresh (a int);");
    await leaveUnfinished(url, "2_failed");
    const none = await migrate(url, directory, "resolve", "--diagnose", "2_failed");
    expect(none.output).toMatch(/line 1: unknown .*\n.*\n.*line 2: not applied/);
    expect(none.output).toContain("Definitions could not all be compared: ");
    expect(none.output).not.toContain("--applied");
    await query(url, "CREATE TABLE fresh (a int)");
    const made = await migrate(url, directory, "resolve", "--diagnose", "2_failed");
    expect(made.output).toMatch(/line 1: unknown .*\n.*\n.*line 2: applied/);
    expect(made.output).not.toContain("--applied");
    expect((await migrate(url, directory, "resolve", "--applied", "2_failed")).exit).toBe(4);
  });
});

describe("what has no folder any more", () => {
  test("is named by preflight and status, nothing is applied over it, and its row alone can be settled", async () => {
    const { url, directory } = await failedAt("CREATE TABLE t (a int);", "SELECT 1;");
    rmSync(join(directory, "2_failed"), { recursive: true });
    writeMigration(directory, "3_next", "ALTER TABLE t ADD COLUMN c int;");
    expect(await preflightCheck(url, directory, "history")).toMatchObject({
      outcome: "fail",
      text: expect.stringContaining("2_failed was started"),
    });
    expect((await migrate(url, directory, "status")).output).toContain(
      "2_failed: started, not finished, and not in the folder",
    );
    expect((await migrate(url, directory)).exit).toBe(4);
    expect(await migrate(url, directory, "resolve", "--diagnose", "2_failed")).toMatchObject({
      exit: 0,
      output: expect.stringContaining("resolve --rolled-back 2_failed"),
    });
    expect((await migrate(url, directory, "resolve", "--applied", "2_failed")).output).toContain("folder-gone");
    expect((await migrate(url, directory, "resolve", "--rolled-back", "2_failed")).exit).toBe(0);
    expect((await migrate(url, directory)).exit).toBe(0);
    expect((await migrate(url, directory, "resolve", "--rolled-back", "2_failed")).output).toContain(
      "unknown-migration",
    );
  });

  test("and is half applied in steps is not passed over either", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({ "1_base": "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1);" });
    expect((await migrate(url, directory)).exit).toBe(0);
    writeMigration(directory, "2_steps", "CREATE INDEX i ON t (a);\nCREATE UNIQUE INDEX CONCURRENTLY u ON t (a);");
    expect((await migrate(url, directory)).exit).not.toBe(0);
    rmSync(join(directory, "2_steps"), { recursive: true });
    writeMigration(directory, "3_next", "ALTER TABLE t ADD COLUMN c int;");
    expect((await preflightCheck(url, directory, "history")).text).toContain("2_steps was started");
    expect(await migrate(url, directory)).toMatchObject({ exit: 4, output: expect.stringContaining("2_steps") });
    expect((await migrate(url, directory, "resolve", "--rolled-back", "2_steps")).exit).toBe(0);
    expect(await query(url, "SELECT * FROM _release.step")).toEqual([]);
    expect((await migrate(url, directory)).output).toContain("3_next");
  });

  test.each([
    ["before anything is recorded", false],
    ["after the Prisma CLI recorded it", true],
  ])("because it was squashed is recognised %s, and one command records it", async (_, byPrisma) => {
    const url = await postgres.createDatabase();
    const old = historyOf({ "1_a": "CREATE TABLE a (id int PRIMARY KEY, b int);", "2_r": "CREATE TABLE r (i int);" });
    expect((await migrate(url, old)).exit).toBe(0);
    const sql = "CREATE TABLE a (id int PRIMARY KEY, b int);\nCREATE TABLE r (i int);";
    const directory = historyOf({ "0_squashed": sql });
    if (byPrisma)
      await query(
        url,
        "INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at) VALUES ('x', $1, '0_squashed', now(), now())",
        [checksumOf(sql)],
      );
    const found = await preflightCheck(url, directory, "history");
    expect(found.text).toContain("resolve --applied 0_squashed");
    expect((await migrate(url, directory)).output).toContain("resolve --applied 0_squashed");
    const done = await migrate(url, directory, "resolve", "--applied", "0_squashed");
    expect(done).toMatchObject({ exit: 0, output: expect.stringContaining("It stands for 2 migrations") });
    expect((await migrate(url, directory, "status")).exit).toBe(0);
    writeMigration(directory, "3_next", "ALTER TABLE a ADD COLUMN c int;");
    expect((await migrate(url, directory)).exit).toBe(0);
    // The folder before it still fits: a release that takes the app back.
    expect((await migrate(url, old, "--allow-database-ahead")).exit).toBe(0);
  });

  test("because the folder is behind is no squash", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({ "1_a": "CREATE TABLE a (id int);", "2_b": "CREATE TABLE b (id int);" });
    expect((await migrate(url, directory)).exit).toBe(0);
    rmSync(join(directory, "2_b"), { recursive: true });
    writeMigration(directory, "3_c", "CREATE TABLE c (id int);");
    const { text } = await preflightCheck(url, directory, "history");
    expect(text).toContain("The database is ahead");
    expect(text).not.toContain("--applied");
  });
});
