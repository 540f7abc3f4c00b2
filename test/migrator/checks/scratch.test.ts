import { afterAll, beforeAll, expect, test } from "vitest";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, query, reportedChecks, startMigrator, until, writeMigration } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

/** A history that another tool applied: nothing is recorded of it, so that drift is looked for on a scratch database. */
async function unrecorded(sql: string): Promise<{ url: string; directory: string }> {
  const url = await postgres.createDatabase();
  const directory = historyOf({ "1_base": sql });
  expect((await migrate(url, directory)).exit).toBe(0);
  await query(url, "DROP SCHEMA _release CASCADE");
  writeMigration(directory, "2_next", "CREATE TABLE next (id int);");
  return { url, directory };
}

const SCRATCH = "SELECT datname FROM pg_database WHERE datname LIKE 'release_scratch%'";

test("a preflight changes no role: a history that reaches out of its database is not run again, and drift is unknown", async () => {
  const { url, directory } = await unrecorded(
    "CREATE ROLE rotated LOGIN PASSWORD 'initial' CONNECTION LIMIT 5; ALTER ROLE rotated PASSWORD 'initial'; CREATE TABLE t (id int);",
  );
  await query(url, "ALTER ROLE rotated PASSWORD 'rotated since' CONNECTION LIMIT 9");
  const stored = () => query(url, "SELECT rolpassword, rolconnlimit FROM pg_authid WHERE rolname = 'rotated'");
  const before = await stored();
  const { exit, output } = await migrate(url, directory, "preflight");
  expect({ exit, output }).toMatchObject({ exit: 0 });
  expect(await stored()).toEqual(before);
  expect(reportedChecks(output).find(({ name }) => name === "drift")).toMatchObject({
    outcome: "unknown",
    facts: expect.stringContaining("1_base, line 1, is not run beside the real database"),
  });
});

test("a scratch database that a killed preflight left behind is dropped by the next one, and others' are not", async () => {
  const columns = Array.from({ length: 300 }, (_, at) => `CREATE TABLE t${at} (id serial PRIMARY KEY);`);
  const { url, directory } = await unrecorded(columns.join("\n"));
  await query(url, "CREATE ROLE other");
  await query(url, "CREATE DATABASE release_scratch_0123456789ab OWNER other");
  await query(url, "CREATE DATABASE release_scratch_mine");
  const running = startMigrator(["preflight", "--migrations", directory], { DATABASE_URL: url });
  await until(async () => (await query(url, SCRATCH)).length === 3, "the scratch database");
  // In use, it is nobody else's to drop.
  const own = (await query<{ datname: string }>(url, SCRATCH)).map(({ datname }) => datname);
  running.child.kill("SIGKILL");
  await running.ended;
  await until(
    async () =>
      (await query(url, "SELECT FROM pg_stat_activity WHERE application_name = 'release-migrator'")).length === 0,
    "the killed session's end",
  );
  const { exit, output } = await migrate(url, directory, "preflight");
  expect({ exit, output }).toMatchObject({ exit: 0, output: expect.stringContaining("that a preflight left behind") });
  const left = (await query<{ datname: string }>(url, SCRATCH)).map(({ datname }) => datname).sort();
  expect(own).toEqual(expect.arrayContaining(left));
  expect(left).toEqual(["release_scratch_0123456789ab", "release_scratch_mine"]);
});
