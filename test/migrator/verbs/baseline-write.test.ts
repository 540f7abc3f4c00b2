import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { BASE } from "../checks/drift/corpus";
import { historyOf, migrate, query, scratch, writeMigration } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
  await query(await postgres.createDatabase(), "CREATE ROLE drift_app");
});
afterAll(() => postgres.stop());

const names = (directory: string) => readdirSync(directory).filter((each) => /^\d/.test(each));
const write = (url: string, directory: string, ...more: string[]) =>
  migrate(url, directory, "baseline", "--write", "--name", "init", ...more);

test("the schema of a database that other tools made becomes the first migration, and is recorded", async () => {
  const [url, elsewhere] = [await postgres.createDatabase(), await postgres.createDatabase()];
  await query(
    url,
    `${BASE} CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY); CREATE TABLE knex_migrations (id serial PRIMARY KEY, name text);
     CREATE SCHEMA drizzle CREATE TABLE __drizzle_migrations (id serial PRIMARY KEY, hash text); CREATE EXTENSION pg_trgm`,
  );
  const directory = join(scratch, "app/prisma/migrations");
  const { exit, output } = await write(url, directory);
  expect(exit, output).toBe(0);
  expect(output.match(/^Left out: .*$/gm)).toEqual(
    ["extension pg_trgm", "schema drizzle", "table drizzle.__drizzle_migrations", "table public.flyway_schema_history"]
      .concat("table public.knex_migrations")
      .map((each) => `Left out: ${each}`),
  );
  expect(output).toContain("it makes the same schema, object by object");
  expect(output).toContain("Roles that must exist on every database: drift_app");
  expect(readFileSync(join(directory, "migration_lock.toml"), "utf8")).toContain('provider = "postgresql"');
  const [first] = names(directory);
  expect(first).toMatch(/^\d{14}_init$/);
  expect(output).toContain(`${first} is recorded as applied.`);
  expect(await migrate(url, directory, "drift")).toMatchObject({ exit: 0 });
  const deployed = await migrate(elsewhere, directory);
  expect(deployed.exit, deployed.output).toBe(0);
  expect(await migrate(elsewhere, directory, "drift")).toMatchObject({ exit: 0 });

  // Once there is a history, the same command again refuses.
  const again = await write(url, directory);
  expect(again, again.output).toMatchObject({ exit: 4, output: expect.stringContaining("has a history already") });
  // A history whose folders were moved away is squashed into a new first migration that stands for them.
  rmSync(join(directory, first!), { recursive: true });
  const squashed = await migrate(url, directory, "baseline", "--write", "--name", "squashed");
  expect(squashed.exit, squashed.output).toBe(0);
  expect(squashed.output).toMatch(/_squashed is recorded as applied\. It stands for 1 migration/);
  const other = await migrate(elsewhere, directory, "baseline", "--write", "--name", "squashed");
  expect(other, other.output).toMatchObject({
    exit: 4,
    output: expect.stringMatching(/Next: .*resolve --applied \d+_squashed/),
  });
});

test("what has no SQL is named, and the migration is written and not recorded", async () => {
  const url = await postgres.createDatabase();
  await query(
    url,
    `CREATE TABLE note (id int PRIMARY KEY, v text); INSERT INTO note VALUES (1, 'a'), (2, 'a'); CREATE EXTENSION postgres_fdw;
     CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw; CREATE FOREIGN TABLE there (id int) SERVER far`,
  );
  const directory = historyOf({});
  const { exit, output } = await write(url, directory);
  expect(exit, output).toBe(10);
  expect(output).toContain("Not generated: foreign table public.there: foreign tables need a server");
  expect(output).toMatch(/_init is written and NOT recorded/);
  const [first] = names(directory);
  // The same command again finds its own migration, and writes no second one.
  expect(await write(url, directory)).toMatchObject({ exit: 10 });
  expect(names(directory)).toEqual([first]);
  // With the rest of it written by hand, the migration is recorded by the command that the message names.
  const forced = await migrate(url, directory, "baseline", "--through", first!);
  expect(forced.exit, forced.output).toBe(0);
});

test("a folder with other migrations, and a command line that says too little, are refused with the way to go", async () => {
  const url = await postgres.createDatabase();
  await query(url, "CREATE TABLE note (id int PRIMARY KEY)");
  const directory = historyOf({});
  writeMigration(directory, "20260101000000_note", "CREATE TABLE note (id int PRIMARY KEY);");
  const refused = await write(url, directory);
  expect(refused.exit, refused.output).toBe(4);
  expect(refused.output).toMatch(
    /today's schema must come before all of them[\s\S]*Next: .*baseline --through 20260101000000_note/,
  );
  const wrong = await migrate(url, directory, "baseline", "--write");
  expect(wrong).toMatchObject({ exit: 2, output: expect.stringContaining("--write and --name NAME together") });
  expect(names(directory)).toHaveLength(1);
  expect(existsSync(join(directory, "migration_lock.toml"))).toBe(true);
});
