import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { checksumOf } from "../../../migrations/history/history";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, query, scratch, startMigrator, until } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

let url: string;
let directory: string;
beforeEach(async () => {
  url = await postgres.createDatabase();
  directory = historyOf({
    "1_init":
      "CREATE TABLE people (id int PRIMARY KEY, email text, fax text); INSERT INTO people VALUES (1, 'a@x', '5');",
  });
  expect((await migrate(url, directory)).exit).toBe(0);
});

function file(sql: string, name = "fix.sql"): string {
  const path = join(scratch, name);
  writeFileSync(path, sql);
  return path;
}

function run(sql: string, ...options: string[]) {
  return migrate(url, directory, "sql", file(sql), ...options);
}

interface Audited {
  event: string;
  migration: string;
  data: Record<string, unknown>;
}
const audited = () =>
  query<Audited>(url, "SELECT event, migration, data FROM _release.audit WHERE event LIKE 'sql.%' ORDER BY id");
const history = () => query(url, "SELECT * FROM _prisma_migrations ORDER BY started_at");
const emails = async () =>
  (await query<{ email: string }>(url, "SELECT email FROM people ORDER BY id")).map((each) => each.email);

describe("a file of SQL", () => {
  test("runs in one transaction with its entry in the audit trail, and leaves the history as it is", async () => {
    const before = await history();
    const sql = "UPDATE people SET email = 'b@x' WHERE id = 1;\nINSERT INTO people VALUES (2, 'secret-value', NULL);\n";
    const { exit, output } = await run(sql);
    expect(exit, output).toBe(0);
    expect(output).toContain("2 statements) runs in one transaction, with lock_timeout 5 s:\n  line 1: UPDATE people");
    expect(output).toContain("fix.sql ran in");
    expect(output).toContain("2 rows changed");
    expect(output).not.toContain("secret-value");
    expect(await emails()).toEqual(["b@x", "secret-value"]);
    expect(await history()).toEqual(before);
    const [entry] = await audited();
    expect(entry).toMatchObject({
      event: "sql.applied",
      migration: "fix.sql",
      data: { checksum: checksumOf(sql), rows: 2, attempts: 1, acknowledged: [] },
    });
  });

  test("that fails is rolled back as a whole, and the audit trail says so without values", async () => {
    const { exit, output } = await run(
      "UPDATE people SET email = 'b@x';\nINSERT INTO people VALUES (1, 'secret-value');\n",
    );
    expect(exit, output).toBe(5);
    expect(output).toMatch(
      /FAILED \(statement-failed\): The file fix\.sql failed\.[\s\S]*fix\.sql:2[\s\S]*Database: rolled back; it is as it was before the file\.\nApp: not touched.*\nNext: correct fix\.sql, then: npm run migrator -- sql/,
    );
    expect(output).not.toContain("secret-value");
    expect(await emails()).toEqual(["a@x"]);
    expect(await audited()).toMatchObject([
      { event: "sql.failed", migration: "fix.sql", data: { code: "statement-failed" } },
    ]);
    expect(JSON.stringify(await audited())).not.toContain("secret-value");
  });

  test("may be written as BEGIN … COMMIT, and begin a database without a history", async () => {
    expect((await run("BEGIN;\nDELETE FROM people WHERE id = 1;\nCOMMIT;\n")).exit).toBe(0);
    expect(await emails()).toEqual([]);
    url = await postgres.createDatabase();
    const { exit, output } = await run("DO $$ BEGIN EXECUTE 'CREATE SCHEMA extra'; END $$;");
    expect(exit, output).toBe(0);
    expect(await audited()).toMatchObject([{ event: "sql.applied" }]);
  });

  test("of one statement that can't be in a transaction runs by itself, again after an index that was left invalid", async () => {
    await query(url, "INSERT INTO people VALUES (2, 'a@x', NULL)");
    const sql = "CREATE UNIQUE INDEX CONCURRENTLY people_email ON people (email);";
    const failed = await run(sql);
    expect(failed.exit, failed.output).toBe(5);
    expect(failed.output).toContain("The file fix.sql failed.");
    const valid = "SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = 'people_email'::regclass";
    expect(await query(url, valid)).toEqual([{ valid: false }]);
    await query(url, "DELETE FROM people WHERE id = 2");
    const { exit, output } = await run(sql);
    expect(exit, output).toBe(0);
    expect(output).toContain("runs outside of a transaction");
    expect(output).toContain("resolve --applied");
    expect(await query(url, valid)).toEqual([{ valid: true }]);
    expect((await audited()).map(({ event }) => event)).toEqual(["sql.failed", "sql.applied"]);
    expect(await query(url, "SELECT * FROM _release.step")).toEqual([]);
  });

  test.each([
    [
      "two statements that can't be in a transaction",
      "VACUUM people;\nVACUUM people;",
      "line 1: VACUUM can't run in a transaction",
    ],
    [
      "one such statement among others",
      "DELETE FROM people;\nVACUUM people;",
      "line 2: VACUUM can't run in a transaction",
    ],
    ["two transactions", "BEGIN; DELETE FROM people; COMMIT; BEGIN; SELECT 1; COMMIT;", "begins or ends a transaction"],
    ["a batch", "-- release: batch size 10\nUPDATE people SET email = '';", "line 2: UPDATE runs in ranges of rows"],
  ])("with %s is refused with the reason", async (_, sql, reason) => {
    const { exit, output } = await run(sql);
    expect(exit, output).toBe(4);
    expect(output).toContain("FAILED (several-steps)");
    expect(output).toContain(reason);
    expect(await emails()).toEqual(["a@x"]);
  });

  test("passes the review's gate as a migration does", async () => {
    const sql = "ALTER TABLE people DROP COLUMN fax;";
    const refused = await run(sql, "--refuse", "destructive");
    expect(refused.exit, refused.output).toBe(4);
    expect(refused.output).toMatch(
      /FAILED \(review-refused\)[\s\S]*line 1: .*people\.fax[\s\S]*Database: nothing was changed/,
    );
    expect(await query(url, "SELECT fax FROM people")).toEqual([{ fax: "5" }]);
    // The option that it says to add lets the same file pass, and no other one.
    const acknowledgement = /--acknowledge '(\{.*?\})'/.exec(refused.output)![1]!.replace("…", "nobody sends faxes");
    const other = await run(`${sql} -- changed`, "--refuse", "destructive", "--acknowledge", acknowledgement);
    expect(other.exit, other.output).toBe(4);
    const passed = await run(sql, "--refuse", "destructive", "--acknowledge", acknowledgement);
    expect(passed.exit, passed.output).toBe(0);
    expect((await audited()).at(-1)?.data["acknowledged"]).toEqual(["drop-column people.fax: nobody sends faxes"]);
    // The schema is not what the migrations make, and drift says so.
    const drift = await migrate(url, directory, "drift");
    expect(drift.exit, drift.output).toBe(9);
    expect(drift.output).toMatch(/FAILED \(drift\)[\s\S]*fax/);
  });

  test("can't change the history of migrations", async () => {
    const before = await history();
    const { exit, output } = await run("DELETE FROM _prisma_migrations;");
    expect(exit, output).toBe(5);
    expect(output).toContain(
      "The file fix.sql ran, but can't be recorded: it deletes rows of _prisma_migrations in line 1",
    );
    expect(await history()).toEqual(before);
  });

  test("tries again for a lock, and waits for another migrator", async () => {
    const holder = new Client({ connectionString: url });
    await holder.connect();
    try {
      await holder.query("BEGIN; LOCK TABLE people; SELECT pg_advisory_lock(72707369)");
      const running = startMigrator(
        ["sql", file("UPDATE people SET email = 'b@x';"), "--migrations", directory, "--lock-timeout", "200ms"],
        { DATABASE_URL: url },
      );
      await until(() => running.output().includes("Waiting for another migrator"), "it waits for the migrator's lock");
      await holder.query("SELECT pg_advisory_unlock(72707369)");
      await until(() => running.output().includes("attempt 1"), "it tries again");
      await holder.query("COMMIT");
      expect((await running.ended).exit, running.output()).toBe(0);
      expect(await emails()).toEqual(["b@x"]);
    } finally {
      await holder.end();
    }
  });

  test.each([
    ["is missing", "/nowhere/fix.sql", "There is no file /nowhere/fix.sql."],
    ["has no statement", file("-- nothing\n", "empty.sql"), "empty.sql has no statement."],
    ["is no file", scratch, "is no file"],
  ])("that %s is refused", async (_, path, what) => {
    const { exit, output } = await migrate(url, directory, "sql", path);
    expect(exit, output).toBe(2);
    expect(output).toContain("FAILED (unreadable-sql)");
    expect(output).toContain(what);
  });

  test("is followed through a symbolic link, as Kubernetes mounts the files of a ConfigMap", async () => {
    const link = join(scratch, "link.sql");
    symlinkSync(file("UPDATE people SET email = 'b@x';"), link);
    const { exit, output } = await migrate(url, directory, "sql", link, "--file-name", "typed.sql");
    expect(exit, output).toBe(0);
    expect(await audited()).toMatchObject([{ migration: "typed.sql" }]);
  });

  test("must be named", async () => {
    const { exit, output } = await migrate(url, directory, "sql");
    expect(exit).toBe(2);
    expect(output).toContain("sql needs the file to run");
  });
});

test("drift tells that nothing was changed by hand, that something was, and that it doesn't know", async () => {
  expect(await migrate(url, directory, "drift")).toMatchObject({
    exit: 0,
    output: expect.stringContaining("No drift"),
  });
  await query(url, "ALTER TABLE people ADD COLUMN by_hand int");
  const changed = await migrate(url, directory, "drift");
  expect(changed.exit, changed.output).toBe(9);
  expect(changed.output).toContain("by_hand");
  await query(url, "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', 'x', '2_half')");
  expect((await migrate(url, directory, "drift")).exit).toBe(10);
});
