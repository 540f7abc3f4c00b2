import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, query, startMigrator, until, writeMigration } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

async function open(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

const waitsForLock = (url: string) => async () =>
  (
    await query(
      url,
      "SELECT 1 FROM pg_stat_activity WHERE application_name = 'release-migrator' AND wait_event_type = 'Lock' AND query LIKE '%ALTER%'",
    )
  ).length > 0;

describe("a table that somebody uses", () => {
  test("stalls no query of the app for longer than lock_timeout, and is migrated once it is free", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({ "1_a": "CREATE TABLE a (id int);" });
    await migrate(url, directory);
    writeMigration(directory, "2_b", "ALTER TABLE a ADD COLUMN b int;");
    const [holder, app] = [await open(url), await open(url)];
    await holder.query("BEGIN; SELECT * FROM a");
    const lockTimeout = 400;
    const running = startMigrator(["deploy", "--migrations", directory, "--lock-timeout", `${lockTimeout}ms`], {
      DATABASE_URL: url,
    });
    let longest = 0;
    let over = false;
    void running.ended.then(() => {
      over = true;
    });
    // Attempts in vain, with the app's queries arriving all the time.
    while ((running.output().match(/attempt \d+:/g) ?? []).length < 4 && !over) {
      const began = performance.now();
      await app.query("SELECT * FROM a");
      longest = Math.max(longest, performance.now() - began);
    }
    await holder.query("COMMIT");
    expect(await running.ended).toMatchObject({
      exit: 0,
      output: expect.stringMatching(/held by pid \d+ .*SELECT \* FROM a/),
    });
    // The bound of the issue, 10 %, and the scheduling of a loaded machine.
    expect(longest).toBeLessThan(lockTimeout * 1.1 + 150);
    const [audit] = await query<{ data: { attempts: number } }>(
      url,
      "SELECT data FROM _release.audit WHERE migration = '2_b'",
    );
    expect(audit!.data.attempts).toBeGreaterThan(4);
    await Promise.all([holder.end(), app.end()]);
  });

  test("for the whole lockRetryTimeout ends the run, which says who held the lock", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({ "1_a": "CREATE TABLE a (id int);" });
    await migrate(url, directory);
    writeMigration(directory, "2_b", "ALTER TABLE a ADD COLUMN b int;");
    const holder = await open(url);
    await holder.query("BEGIN; SELECT * FROM a WHERE id = 4711");
    const { exit, output } = await migrate(url, directory, "--lock-timeout", "2s", "--lock-retry-timeout", "4s");
    expect(exit).toBe(6);
    expect(output).toMatch(/FAILED \(lock-not-obtained\)[\s\S]*Held by: pid \d+[\s\S]*Database: rolled back/);
    await holder.end();
    expect(await query(url, "SELECT * FROM _prisma_migrations")).toHaveLength(1);
  });

  test("in a deadlock is tried again", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({ "1_a": "CREATE TABLE a (id int); CREATE TABLE b (id int);" });
    await migrate(url, directory);
    writeMigration(directory, "2_b", "ALTER TABLE a ADD COLUMN x int; ALTER TABLE b ADD COLUMN x int;");
    // Postgres looks for a deadlock once, this long after a wait began.
    await query(url, `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET deadlock_timeout = '3s'`);
    const other = await open(url);
    await other.query("SET deadlock_timeout = '10min'");
    await other.query("BEGIN; LOCK TABLE b");
    const running = startMigrator(["deploy", "--migrations", directory, "--lock-timeout", "1m"], { DATABASE_URL: url });
    await until(waitsForLock(url), "the migrator waits for b");
    // Waits for a, which the migrator holds: only one of the two has a short deadlock_timeout, the migrator.
    const [locked] = await Promise.allSettled([other.query("LOCK TABLE a")]);
    expect(locked!.status).toBe("fulfilled");
    await other.query("COMMIT");
    await other.end();
    expect(await running.ended).toMatchObject({ exit: 0, output: expect.stringContaining("deadlock detected") });
  });
});

describe("a failed CREATE INDEX CONCURRENTLY", () => {
  test.each(["", "IF NOT EXISTS "])(
    "leaves an invalid index, which is dropped and built again (%s)",
    async (clause) => {
      const url = await postgres.createDatabase();
      const directory = historyOf({ "1_a": "CREATE TABLE a (id int); INSERT INTO a VALUES (1), (1);" });
      await migrate(url, directory);
      writeMigration(directory, "2_b", `CREATE UNIQUE INDEX CONCURRENTLY ${clause}a_id ON a (id);`);
      const failed = await migrate(url, directory);
      expect(failed).toMatchObject({ exit: 5, output: expect.stringContaining("could not create unique index") });
      expect(await query(url, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_id'::regclass")).toEqual([
        { indisvalid: false },
      ]);
      await query(url, "DELETE FROM a WHERE ctid = '(0,1)'");
      expect(await migrate(url, directory)).toMatchObject({
        exit: 0,
        output: expect.stringContaining("is invalid, left by a build that failed"),
      });
      expect(await query(url, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_id'::regclass")).toEqual([
        { indisvalid: true },
      ]);
      expect(
        await query(url, "SELECT count(*)::int AS rows FROM _prisma_migrations WHERE migration_name = '2_b'"),
      ).toEqual([{ rows: 1 }]);
    },
  );
});

describe("a migration in steps", () => {
  test("that failed can be corrected behind what is done, not before it", async () => {
    const url = await postgres.createDatabase();
    const first = "CREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY a_id ON a (id);\n";
    const directory = historyOf({ "1_a": `${first}ALTER TABLE nowhere ADD COLUMN x int;` });
    expect(await migrate(url, directory)).toMatchObject({
      exit: 5,
      output: expect.stringContaining("2 of its 3 statements are applied and stay"),
    });
    writeMigration(directory, "1_a", `CREATE TABLE b (id int);\n${first}`);
    expect(await migrate(url, directory)).toMatchObject({
      exit: 4,
      output: expect.stringContaining("edited in its first 2 statements"),
    });
    writeMigration(directory, "1_a", `${first}ALTER TABLE a ADD COLUMN x int;`);
    expect(await migrate(url, directory)).toMatchObject({ exit: 0, output: expect.stringContaining("going on there") });
    expect((await migrate(url, directory, "status")).exit).toBe(0);
  });

  test("whose BEGIN has no COMMIT is refused before anything of it runs", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({ "1_a": "CREATE TABLE a (id int);\nBEGIN;\nCREATE TABLE b (id int);" });
    expect(await migrate(url, directory)).toMatchObject({ exit: 5, output: expect.stringContaining("2 | BEGIN;") });
    expect(await query(url, "SELECT to_regclass('a') AS a")).toEqual([{ a: null }]);
  });

  test("with its own BEGIN and COMMIT reports the real error", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({ "1_a": "BEGIN;\nCREATE TABLE a (id int);\nSELECT 1/0;\nCOMMIT;" });
    expect(await migrate(url, directory)).toMatchObject({
      exit: 5,
      output: expect.stringMatching(/division by zero[\s\S]*3 \| SELECT 1\/0;/),
    });
    expect(await query(url, "SELECT to_regclass('a') AS a")).toEqual([{ a: null }]);
  });

  test("is also used where only the server knows that it can't be a transaction", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({
      "1_a":
        "CREATE TABLE a (id int); CREATE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO a VALUES (1); COMMIT; INSERT INTO a VALUES (2); END $$;",
      "2_b": "INSERT INTO a VALUES (0);\nCALL fill();",
    });
    expect(await migrate(url, directory)).toMatchObject({
      exit: 0,
      output: expect.stringContaining("going on in steps"),
    });
    expect(await query(url, "SELECT id FROM a ORDER BY id")).toEqual([{ id: 0 }, { id: 1 }, { id: 2 }]);
  });
});

describe("SIGTERM", () => {
  test.each([
    ["in a transaction", "CREATE TABLE a (id int); SELECT pg_sleep(60);", "rolled back"],
    ["in steps", "CREATE TABLE a (id int);\nVACUUM a;\nSELECT pg_sleep(60);", "2 of its 3 statements are applied"],
  ])("%s cancels what runs, says so, and ends within the pod's grace", async (_name, sql, said) => {
    const url = await postgres.createDatabase();
    const directory = historyOf({ "1_a": sql });
    const running = startMigrator(["deploy", "--migrations", directory], { DATABASE_URL: url });
    await until(
      async () =>
        (
          await query(
            url,
            "SELECT 1 FROM pg_stat_activity WHERE application_name = 'release-migrator' AND query LIKE '%pg_sleep%' AND state = 'active'",
          )
        ).length > 0,
      "it runs",
    );
    const began = Date.now();
    running.child.kill("SIGTERM");
    const { exit, output } = await running.ended;
    expect(Date.now() - began).toBeLessThan(5000);
    expect({ exit, output }).toMatchObject({ exit: 143, output: expect.stringContaining("Stopped by SIGTERM") });
    expect(output).toContain(said);
    await until(
      async () => (await query(url, "SELECT 1 FROM pg_locks WHERE locktype = 'advisory'")).length === 0,
      "the lock is free",
    );
  });
});

describe("several runners at once", () => {
  test("apply each migration once, and none fails", async () => {
    const url = await postgres.createDatabase();
    const migrations: Record<string, string> = {};
    for (let number = 1; number <= 20; number++)
      migrations[`${1000 + number}_m`] =
        `CREATE TABLE t${number} (id int);${number % 7 === 0 ? `\nCREATE INDEX CONCURRENTLY t${number}_id ON t${number} (id);` : ""}`;
    const directory = historyOf(migrations);
    const ended = await Promise.all(Array.from({ length: 4 }, () => migrate(url, directory)));
    expect(ended.map(({ exit }) => exit)).toEqual([0, 0, 0, 0]);
    expect(
      await query(url, "SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL"),
    ).toHaveLength(20);
  });

  test("that wait too long say for whom", async () => {
    const url = await postgres.createDatabase();
    const holder = await open(url);
    await holder.query("SELECT pg_advisory_lock(72707369)");
    const { exit, output } = await migrate(url, historyOf({ "1_a": "SELECT 1;" }), "--runner-wait", "300ms");
    expect({ exit, output }).toMatchObject({
      exit: 6,
      output: expect.stringMatching(/FAILED \(another-runner\).*pid \d+/),
    });
    await holder.end();
  });
});
