import { afterAll, beforeAll, expect, test } from "vitest";
import { asRole, startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, query, reportedChecks, writeMigration } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
  await query(
    await postgres.createDatabase(),
    "CREATE ROLE app LOGIN PASSWORD 'p'; CREATE ROLE migrator LOGIN PASSWORD 'p' IN ROLE app",
  );
});
afterAll(() => postgres.stop());

async function as(role: string, url: string): Promise<string> {
  await query(
    url,
    `GRANT ALL ON SCHEMA public TO ${role}; GRANT CREATE ON DATABASE ${new URL(url).pathname.slice(1)} TO ${role}`,
  );
  return asRole(url, role, "p");
}

const SLOW = "ALTER TABLE t ADD COLUMN v int;\nDELETE FROM t WHERE id < 0;";

test("rows that row level security hides are not counted as lost or present, but unknown", async () => {
  const url = await postgres.createDatabase();
  const migrator = await as("migrator", url);
  const directory = historyOf({
    "1_a": "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 10);",
  });
  expect((await migrate(migrator, directory)).exit).toBe(0);
  await query(
    url,
    "ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY; CREATE POLICY few ON t USING (id < 3)",
  );
  writeMigration(directory, "2_b", SLOW);
  const { exit, output } = await migrate(migrator, directory);
  expect({ exit, output }).toMatchObject({ exit: 0 });
  expect(reportedChecks(output).find(({ name }) => name === "rows")).toMatchObject({
    outcome: "unknown",
    facts: expect.stringContaining("row level security hides rows"),
  });
});

test("a table whose index calls a function of the app's role is not read: planning would run it as the migration's role", async () => {
  const url = await postgres.createDatabase();
  const app = await as("app", url);
  const migrator = await as("migrator", url);
  await query(
    app,
    `CREATE TABLE seen (who name); GRANT ALL ON seen TO PUBLIC;
     CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t SELECT FROM generate_series(1, 3);
     CREATE FUNCTION note() RETURNS bool LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.seen VALUES (current_user); RETURN true; EXCEPTION WHEN read_only_sql_transaction THEN RAISE WARNING 'it ran'; RETURN true; END $$;
     CREATE FUNCTION look() RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN public.note(); END $$;
     CREATE INDEX trap ON t (id) WHERE look()`,
  );
  // A query over the table runs it, whoever asks.
  await query(migrator, "SELECT count(*) FROM t");
  expect(await query(url, "SELECT DISTINCT who FROM seen WHERE who = 'migrator'")).toEqual([{ who: "migrator" }]);
  await query(url, "DELETE FROM seen");
  const directory = historyOf({ "1_t": "CREATE TABLE t (id serial PRIMARY KEY);" });
  expect((await migrate(migrator, directory, "baseline", "--through", "1_t")).exit).toBe(0);
  const { exit, output } = await migrate(migrator, directory, "verify", "--show-values");
  expect({ exit, output }).toMatchObject({ exit: 0, output: expect.not.stringContaining("it ran") });
  expect(output).toContain("calls function public.look()");
  expect(await query(url, "SELECT who FROM seen")).toEqual([]);
});

test("a foreign key on columns of an extension's type is compared as the extension compares", async () => {
  const url = await postgres.createDatabase();
  const directory = historyOf({
    "1_a": `CREATE EXTENSION citext;
      CREATE TABLE p (mail citext PRIMARY KEY, v int); CREATE TABLE c (mail citext);
      INSERT INTO p VALUES ('Ada'); INSERT INTO c VALUES ('ADA'), ('Bob');
      ALTER TABLE c ADD CONSTRAINT c_p FOREIGN KEY (mail) REFERENCES p NOT VALID;`,
    "2_b": "-- release: batch size 1\nUPDATE p SET v = 1 WHERE mail = 'ada';",
  });
  const { exit, output } = await migrate(url, directory);
  expect({ exit, output }).toMatchObject({ exit: 0, output: expect.stringContaining(": 1 rows without a parent") });
  expect(output).toContain("1 rows in ranges of 1");
});
