import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadParser } from "../../../migrations/history/plan";
import { LockWaitBudget } from "../../../migrator/apply/lock-wait-budget";
import { EffectPlanner } from "../../../migrator/apply/planned-effects";
import { Plans } from "../../../migrator/plans";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, query, startMigrator, until, writeMigration } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

const small = (count: number) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `${1000 + index}_m`,
      index === 0 ? "CREATE TABLE a (id int);" : `ALTER TABLE a ADD COLUMN c${index} int;`,
    ]),
  );

const applied = (url: string) =>
  query<{ name: string }>(
    url,
    "SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at >= started_at ORDER BY started_at",
  ).then((rows) => rows.map(({ name }) => name));

async function holding(url: string, table: string): Promise<Client> {
  const holder = new Client({ connectionString: url });
  holder.on("error", () => undefined);
  await holder.connect();
  await holder.query(`BEGIN; LOCK TABLE ${table} IN ACCESS SHARE MODE`);
  return holder;
}

const waits = (url: string) => async () =>
  (
    await query(
      url,
      "SELECT FROM pg_stat_activity WHERE application_name = 'release-migrator' AND wait_event_type = 'Lock' AND datname = current_database()",
    )
  ).length > 0;

describe("small migrations in a row, which go to the server in one message,", () => {
  test("are each a transaction, a row in order, an entry of the audit and lines of the log", async () => {
    const url = await postgres.createDatabase();
    // What comes last shows the settings of the session as they are after the messages.
    const history = { ...small(60), "2000_seen": "CREATE TABLE seen AS SELECT name, setting FROM pg_settings;" };
    const { exit, output } = await migrate(url, historyOf(history), "--json", "--lock-timeout", "3s");
    expect(exit).toBe(0);
    expect(await applied(url)).toEqual(Object.keys(history));
    const transactions = await query(url, "SELECT DISTINCT xmin::text FROM _prisma_migrations");
    expect(transactions).toHaveLength(61);
    expect(await query(url, "SELECT FROM _release.audit WHERE event = 'migration.applied'")).toHaveLength(61);
    const events = output.split("\n").filter((line) => line.includes('"migration.finished"'));
    expect(events.map((line) => JSON.parse(line).migration)).toEqual(Object.keys(history));
    expect(JSON.parse(events[7]!).duration).toBeGreaterThanOrEqual(0);
    expect(
      await query(url, "SELECT * FROM seen WHERE name IN ('synchronous_commit', 'lock_timeout') ORDER BY name"),
    ).toEqual([
      // Of the attempt's own transaction: a fifth of what is allowed.
      { name: "lock_timeout", setting: "600" },
      { name: "synchronous_commit", setting: "on" },
    ]);
  });

  test("stay applied up to the one that fails, which is shown as by itself", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf(small(40));
    writeMigration(directory, "1030_m", "-- again\nALTER TABLE a ADD COLUMN c7 int;");
    const { exit, output } = await migrate(url, directory);
    expect(exit).toBe(5);
    expect(output).toContain('column "c7" of relation "a" already exists');
    expect(output).toContain("at 1030_m/migration.sql:2:1");
    expect(await applied(url)).toEqual(Object.keys(small(30)));
    writeMigration(directory, "1030_m", "ALTER TABLE a ADD COLUMN c30 int;");
    expect((await migrate(url, directory)).exit).toBe(0);
    expect(await applied(url)).toEqual(Object.keys(small(40)));
  });

  test("of which one is no SQL are not run from there on, and up to there they are", async () => {
    const url = await postgres.createDatabase();
    // The parser here takes the statement; the server refuses the message, before anything of it runs.
    const directory = historyOf({ ...small(10), "1005_m": "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELEC';" });
    expect(await migrate(url, directory)).toMatchObject({ exit: 5, output: expect.stringContaining("1005_m") });
    expect(await applied(url)).toEqual(Object.keys(small(5)));
  });

  test("of which one gets no lock go on when it is free", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({ "0999_t": "CREATE TABLE busy (id int);" });
    await migrate(url, directory);
    for (const [name, sql] of Object.entries(small(30))) writeMigration(directory, name, sql);
    writeMigration(directory, "1015_m", "ALTER TABLE busy ADD COLUMN x int;");
    const holder = await holding(url, "busy");
    const running = startMigrator(["deploy", "--migrations", directory, "--lock-timeout", "1s"], { DATABASE_URL: url });
    await until(() => running.output().includes("attempt 1"), "an attempt in vain");
    expect((await applied(url)).at(-1)).toBe("1014_m");
    await holder.end();
    expect(await running.ended).toMatchObject({ exit: 0 });
    expect(await applied(url)).toHaveLength(31);
  });
});

describe("a transaction that takes several locks", () => {
  test("in one statement has its share of the time for each", async () => {
    await loadParser();
    const table = (name: string) => `CREATE TABLE ${name} (id int PRIMARY KEY, q int);`;
    const sql = `${table("p")}${table("q")}ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p NOT VALID;ALTER TABLE c ADD x int;`;
    const { plan, effects } = new EffectPlanner(new Plans(), "public").add({ name: "1_a", sql, checksum: "" });
    const [, , foreign, add] = plan.statements;
    const budget = new LockWaitBudget(1000, effects);
    expect(budget.timeoutFor([foreign!])).toBe(500);
    expect(budget.timeoutFor([add!])).toBe(1000);
    budget.spend([add!], 700);
    expect(budget.timeoutFor([add!])).toBe(300);
    budget.spend([add!], 5000);
    expect(budget.timeoutFor([foreign!])).toBe(10);
  });

  test("waits for all of them together no longer than for one: who waits behind the first waits for all", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({ "1_a": "CREATE TABLE a (id int); CREATE TABLE b (id int);" });
    await migrate(url, directory);
    writeMigration(
      directory,
      "2_b",
      "ALTER TABLE a ADD COLUMN x int;\nCREATE TABLE seen AS SELECT current_setting('lock_timeout') AS rest;\nALTER TABLE b ADD COLUMN x int;",
    );
    const holder = await holding(url, "a");
    // The first attempt has a fifth of it: 6 s.
    const running = startMigrator(["deploy", "--migrations", directory, "--lock-timeout", "30s"], {
      DATABASE_URL: url,
    });
    await until(waits(url), "it waits for a");
    await query(url, "SELECT pg_sleep(1)");
    await holder.end();
    expect(await running.ended).toMatchObject({ exit: 0, output: expect.not.stringContaining("attempt") });
    const [seen] = await query<{ rest: string }>(url, "SELECT extract(epoch FROM rest::interval) AS rest FROM seen");
    expect(Number(seen!.rest)).toBeLessThanOrEqual(5);
    expect(Number(seen!.rest)).toBeGreaterThan(0);
  });

  test("is left alone where the file sets lock_timeout itself", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({
      "1_a":
        "SET LOCAL lock_timeout = '7s';\nCREATE TABLE a (id int);\nCREATE TABLE seen AS SELECT current_setting('lock_timeout') AS rest;",
    });
    expect((await migrate(url, directory)).exit).toBe(0);
    expect(await query(url, "SELECT rest FROM seen")).toEqual([{ rest: "7s" }]);
  });
});
