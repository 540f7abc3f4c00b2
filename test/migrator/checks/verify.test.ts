import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { markdownReport } from "../../../report/page";
import { asRole, dumpDatabase, startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, preflightCheck, query, reportedChecks, writeMigration } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres({ settings: { shared_preload_libraries: "pg_stat_statements" } });
});
afterAll(() => postgres.stop());

describe("a deploy is verified", () => {
  test("and fails where rows are gone that no migration deletes by itself", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({
      "1_a": "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a SELECT generate_series(1, 100);",
    });
    await migrate(url, directory);
    await query(
      url,
      "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM a WHERE id > 50; RETURN NULL; END'; CREATE TRIGGER t AFTER UPDATE ON a EXECUTE FUNCTION lose()",
    );
    writeMigration(directory, "2_b", "UPDATE a SET id = id;");
    const { exit, output } = await migrate(url, directory, "--check", "drift=off");
    expect(exit).toBe(9);
    expect(output).toContain('"public"."a": 100 → 50');
    expect(output).toContain("Database: all migrations are applied and stay");
  });

  test.each([
    "DELETE FROM a WHERE id > 50;",
    "WITH moved AS (DELETE FROM a WHERE id > 50 RETURNING id) INSERT INTO b SELECT id FROM moved;",
    "SELECT lose();",
  ])("allows what a migration deletes, and says so: %s", async (deletes) => {
    const url = await postgres.createDatabase();
    const directory = historyOf({
      "1_a": `CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a SELECT generate_series(1, 100); CREATE TABLE b (id int);
        CREATE FUNCTION lose() RETURNS void LANGUAGE sql AS 'DELETE FROM a WHERE id > 50';`,
    });
    await migrate(url, directory);
    // What it touches besides is counted too.
    writeMigration(directory, "2_b", `ALTER TABLE a ADD COLUMN c int; ${deletes}`);
    expect(await migrate(url, directory)).toMatchObject({ exit: 0, output: expect.stringContaining("100 → 50") });
  });

  test("and again by the next run, if the one before failed its verification", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({ "1_a": "CREATE TABLE a (id serial PRIMARY KEY); INSERT INTO a VALUES (7);" });
    const first = await migrate(url, directory);
    expect(first).toMatchObject({
      exit: 9,
      output: expect.stringContaining("public.a_id_seq is at 1, public.a.id at 7"),
    });
    expect((await migrate(url, directory)).exit).toBe(9);
    await query(url, "SELECT setval('a_id_seq', 7)");
    expect((await migrate(url, directory)).exit).toBe(0);
    expect(await migrate(url, directory)).toMatchObject({ exit: 0, output: expect.not.stringContaining("Verified") });
  });

  test("counts the rows without a parent of a foreign key that is NOT VALID", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({
      "1_a":
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int); INSERT INTO c VALUES (1), (2), (NULL); ALTER TABLE c ADD CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p NOT VALID;",
    });
    const { exit, output } = await migrate(url, directory);
    expect({ exit, output }).toMatchObject({
      exit: 0,
      output: expect.stringContaining("c_p on public.c: 2 rows without a parent"),
    });
    expect((await migrate(url, directory, "verify", "--check", "constraints=fail")).exit).toBe(9);
  });

  test("and passes what leaves nothing behind, or leaves what was there", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({
      "1_a": "CREATE TABLE a (id int, mail text); CREATE VIEW v AS SELECT id FROM a;",
      "2_temporary":
        "CREATE TEMP TABLE dup ON COMMIT DROP AS SELECT min(id) AS keep, lower(mail) AS mail FROM a GROUP BY lower(mail); CREATE INDEX dup_mail ON dup (mail); ALTER TABLE dup ADD COLUMN n int; CREATE UNIQUE INDEX a_mail ON a (lower(mail));",
      "3_materialized":
        "CREATE MATERIALIZED VIEW m AS SELECT id FROM a; CREATE INDEX mi ON m (id); DROP MATERIALIZED VIEW m;",
      "4_there":
        "CREATE TABLE IF NOT EXISTS a (id int, other int); ALTER TABLE v RENAME TO w; ALTER TABLE w ALTER COLUMN id SET DEFAULT 1;",
      "5_taken_back": "SAVEPOINT s; CREATE TABLE z (i int); ROLLBACK TO s; RELEASE s; CREATE TABLE y (i int);",
      "6_dry_run": "BEGIN; DROP TABLE y; CREATE TABLE z (i int); ROLLBACK;",
      "7_do": "DO $$ BEGIN DROP TABLE y; END $$;",
    });
    const { exit, output } = await migrate(url, directory);
    expect(exit, output).toBe(0);
    expect(reportedChecks(output).find(({ name }) => name === "schema-complete")?.facts).toMatch(
      /exist; unknown: 2 that DO in 7_do may have taken back$/,
    );
    await query(url, "ALTER TABLE a DROP COLUMN mail");
    const later = await migrate(url, directory, "verify");
    // After a commit it doesn't help to correct the migration.
    expect(later).toMatchObject({ exit: 9, output: expect.stringContaining("there is no index public.a_mail") });
    expect(later.output).toContain("Next: make what is missing in a new migration");
  });

  test("and a ROLLBACK without its BEGIN is found before anything is touched", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({ "1_a": "CREATE TABLE z (i int); ROLLBACK;" });
    const { outcome, output } = await preflightCheck(url, directory, "transactions");
    expect(outcome, output).toBe("fail");
    expect(output).toContain("the ROLLBACK in line 1 has no BEGIN");
    expect(await migrate(url, directory)).toMatchObject({
      exit: 5,
      output: expect.stringContaining("unclosed-transaction"),
    });
    expect(await query(url, "SELECT to_regclass('z') AS z")).toEqual([{ z: null }]);
  });

  test("by its own verb, which finds what somebody dropped and changes nothing", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({
      "1_a": "CREATE TABLE a (id int PRIMARY KEY, v text NOT NULL);\nCREATE INDEX a_v ON a (v);",
    });
    await migrate(url, directory);
    await query(url, "DROP INDEX a_v; ALTER TABLE a DROP COLUMN v");
    const before = await dumpDatabase(url);
    const { exit, output } = await migrate(url, directory, "verify");
    expect(exit).toBe(9);
    expect(output).toContain("there is no column public.a.v");
    expect(output).toContain("there is no index public.a_v");
    expect((await dumpDatabase(url)).replace(/^.*_release.*$/gm, "").length).toBeGreaterThan(before.length / 3);
  });
});

test("compare tells what became slower since the deploy", async () => {
  const url = await postgres.createDatabase();
  await query(url, "CREATE SCHEMA stats; CREATE EXTENSION pg_stat_statements SCHEMA stats");
  const directory = historyOf({
    "1_a": "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a SELECT generate_series(1, 1000);",
  });
  expect(await migrate(url, directory, "compare")).toMatchObject({
    exit: 4,
    output: expect.stringContaining("nothing-recorded"),
  });
  expect((await migrate(url, directory)).exit).toBe(0);
  for (let count = 0; count < 5; count++) await query(url, "SELECT count(*) FROM a WHERE id + 0 > 5");
  expect(await migrate(url, directory, "compare")).toMatchObject({
    exit: 0,
    output: expect.stringMatching(/ms \(new\) × 5 .*SELECT count\(\*\) FROM a/),
  });
});

test("statements with passwords and constants in them are neither kept nor shown", async () => {
  const url = await postgres.createDatabase();
  await query(url, "CREATE SCHEMA stats; CREATE EXTENSION pg_stat_statements SCHEMA stats");
  const directory = historyOf({ "1_a": "CREATE TABLE a (id int PRIMARY KEY, t text);" });
  await query(url, "DO $$ BEGIN PERFORM pg_sleep(0.3), 'canary-do'; END $$");
  await query(url, "CREATE ROLE slow_role PASSWORD 'canary-role'; DROP ROLE slow_role");
  await query(url, "/* canary-comment */ SELECT pg_sleep(0.2), 'canary-select'");
  const { exit, output } = await migrate(url, directory);
  expect(exit).toBe(0);
  await query(url, "INSERT INTO a VALUES (1, 'canary-insert') /* canary-comment */");
  const compared = await migrate(url, directory, "compare");
  expect(compared.output).toContain("INSERT INTO a VALUES ($1, $2)");
  const facts = JSON.stringify(await query(url, "SELECT data FROM _release.record"));
  expect(facts).toContain("SELECT pg_sleep($1), $2");
  expect(facts).not.toMatch(/CREATE ROLE|DO \$\$/);
  expect(output + compared.output + facts).not.toContain("canary");
});

test("the report is kept in the database and makes a page for a change ticket", async () => {
  const url = await postgres.createDatabase();
  const directory = historyOf({ "1_a": "CREATE TABLE a (id int);" });
  await migrate(url, directory, "--note", "window=Sun | 02:00");
  const [fact] = await query<{ data: never }>(url, "SELECT data FROM _release.record WHERE kind = 'report'");
  const page = markdownReport([fact!.data]);
  expect(page).toContain("| ✅ | Every migration is finished | 1 migration |");
  expect(page).toContain("window: Sun \\| 02:00");
});

describe("baseline", () => {
  test("records what the database already has, after comparing", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({
      "1_a": "CREATE TABLE a (id int);",
      "2_b": "ALTER TABLE a ADD COLUMN b int;",
      "3_c": "ALTER TABLE a ADD COLUMN c int;",
    });
    await query(url, "CREATE TABLE a (id int)");
    expect(await migrate(url, directory, "baseline", "--through", "2_b")).toMatchObject({
      exit: 4,
      output: expect.stringContaining("there is no column public.a.b"),
    });
    await query(url, "ALTER TABLE a ADD COLUMN b int");
    expect((await migrate(url, directory, "baseline", "--through", "2_b")).exit).toBe(0);
    expect(await migrate(url, directory)).toMatchObject({
      exit: 0,
      output: expect.stringContaining("1 of 3 migrations are pending"),
    });
    expect(await migrate(url, directory, "baseline", "--through", "2_b")).toMatchObject({
      exit: 4,
      output: expect.stringContaining("already-has-history"),
    });
  });

  test("finds an index that is gone and a definition that is another, and says what it did not compare", async () => {
    const history = {
      "1_a":
        "CREATE TABLE a (id int PRIMARY KEY, n int DEFAULT 3); CREATE INDEX a_n ON a (n); CREATE VIEW v AS SELECT id FROM a;",
      "2_b": "CREATE TABLE b (id int); DROP TABLE b; CREATE TYPE x AS ENUM ('p'); DROP TYPE x CASCADE;",
    };
    const url = await postgres.createDatabase();
    const directory = historyOf(history);
    await query(url, history["1_a"]);
    await query(url, "CREATE TABLE besides (id int); ALTER TABLE a SET (fillfactor = 70)");
    await query(
      url,
      "DROP INDEX a_n; ALTER TABLE a ALTER COLUMN n SET DEFAULT 4; CREATE OR REPLACE VIEW v AS SELECT n AS id FROM a",
    );
    const wrong = await migrate(url, directory, "baseline", "--through", "2_b");
    expect(wrong.exit).toBe(4);
    expect(wrong.output).toContain("there is no index public.a_n");
    expect(wrong.output).toContain("column public.a.n is integer DEFAULT 4 (the migrations make it integer DEFAULT 3)");
    expect(wrong.output).toContain("view public.v is SELECT n AS id");
    await query(
      url,
      "CREATE INDEX a_n ON a (n); ALTER TABLE a ALTER COLUMN n SET DEFAULT 3; CREATE OR REPLACE VIEW v AS SELECT id FROM a",
    );
    const right = await migrate(url, directory, "baseline", "--through", "2_b");
    expect(right.exit, right.output).toBe(0);
    expect(right.output).toContain("Not compared: rows, privileges, owners, comments.");
    expect(right.output).toMatch(/There besides what these migrations make:\n.*\n.*table public.besides/);
  });

  test("finds by their names what is gone where there can be no scratch database, and says so", async () => {
    const owner = await postgres.createDatabase();
    const database = new URL(owner).pathname.slice(1);
    const role = `role_${database}`;
    await query(owner, `CREATE ROLE ${role} LOGIN PASSWORD 'p'; ALTER DATABASE ${database} OWNER TO ${role}`);
    const url = asRole(owner, role, "p");
    const made = "CREATE TABLE a (id int); CREATE INDEX i ON a (id); CREATE INDEX j ON a (id);";
    const directory = historyOf({
      "1_a": `${made} CREATE TABLE b (id int); DROP TABLE b;`,
      "2_do": "DO $$ BEGIN DROP INDEX j; END $$;",
    });
    await query(url, made);
    await query(url, "DROP INDEX i; DROP INDEX j");
    const wrong = await migrate(url, directory, "baseline", "--through", "2_do");
    expect(wrong).toMatchObject({ exit: 4, output: expect.stringContaining("there is no index public.i") });
    expect(wrong.output).toContain("Not compared: the definitions of what is there");
    expect(wrong.output).toContain("there is no index public.j; DO in 2_do may have taken it back");
    await query(url, "CREATE INDEX i ON a (id)");
    expect((await migrate(url, directory, "baseline", "--through", "2_do")).exit).toBe(0);
  });
});

test("verification by hand of a folder that is partly applied says so, and expects nothing of what is pending", async () => {
  const url = await postgres.createDatabase();
  const directory = historyOf({ "1_a": "CREATE TABLE a (id int PRIMARY KEY);" });
  expect((await migrate(url, directory)).exit).toBe(0);
  writeMigration(directory, "2_b", "CREATE TABLE b (id int PRIMARY KEY);");
  const { exit, output } = await migrate(url, directory, "verify");
  expect(exit).toBe(9);
  expect(output).toContain("FAILED (verify): Only 1 of 2 migrations is applied, and verification found a problem.");
  expect(output).toContain("Database: 1 of 2 migrations is applied; verification changed nothing.");
  expect(output).not.toContain("there is no table public.b");
});
