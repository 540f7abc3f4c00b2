import { afterAll, beforeAll, expect, test } from "vitest";
import { checksumOf } from "../../../migrations/history/history";
import { asRole, startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, preflightCheck, query, startMigrator, writeMigration } from "../support";

let postgres: TestPostgres;
let base: string;
beforeAll(async () => {
  postgres = await startPostgres();
  base = await postgres.createDatabase();
  expect(await migrate(base, historyOf({ "1_base": BASE }))).toMatchObject({ exit: 0 });
});
afterAll(() => postgres.stop());

const BASE = "CREATE TABLE note (id serial PRIMARY KEY, title text, size int);";
const INDEX = "CREATE INDEX CONCURRENTLY note_title ON note (title);";
const HOTFIX = `-- release: hotfix\n${INDEX}\n`;

let copies = 0;

/** A database with the base, what was done by hand since, and the migrations that are pending. */
async function database(byHand: string, pending: Record<string, string>) {
  const name = `copy_${++copies}`;
  await query(postgres.url, `CREATE DATABASE ${name} TEMPLATE "${new URL(base).pathname.slice(1)}"`);
  const url = new URL(base);
  url.pathname = `/${name}`;
  if (byHand !== "") await query(url.href, byHand);
  return { url: url.href, directory: historyOf({ "1_base": BASE, ...pending }) };
}

const rowsOf = (url: string) =>
  query(
    url,
    `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished, applied_steps_count AS steps, logs
     FROM _prisma_migrations WHERE migration_name <> '1_base' ORDER BY started_at, migration_name`,
  );
const row = (name: string, sql: string) => ({ name, checksum: checksumOf(sql), finished: true, steps: 1, logs: null });
const auditOf = (url: string) =>
  query(url, "SELECT migration, data FROM _release.audit WHERE event = 'hotfix.recorded' ORDER BY id");

test("a hotfix that is there is recorded with its evidence, and elsewhere it runs", async () => {
  const { url, directory } = await database(INDEX, { "2_index": HOTFIX });
  const before = await preflightCheck(url, directory, "hotfix");
  expect(before.exit, before.output).toBe(0);
  expect(before.text).toContain(
    "2_index: what its statement makes is there already; the release records it as applied",
  );
  expect(before.output).toContain("made by a pending hotfix: index public.note_title");
  const drift = await migrate(url, directory, "drift");
  expect(drift, drift.output).toMatchObject({ exit: 0, output: expect.stringContaining("Pending hotfix 2_index") });

  const { exit, output } = await migrate(url, directory);
  expect(exit, output).toBe(0);
  expect(output).toContain("there is index public.note_title");
  expect(await rowsOf(url)).toEqual([row("2_index", HOTFIX)]);
  const statement = { line: 2, state: "there", evidence: "there is index public.note_title" };
  const recorded = { migration: "2_index", data: { checksum: checksumOf(HOTFIX), statements: [statement] } };
  expect(await auditOf(url)).toEqual([recorded]);
  expect((await preflightCheck(url, directory, "drift")).text).toContain("as what the last release recorded");

  const staging = await database("", { "2_index": HOTFIX });
  const run = await migrate(staging.url, directory);
  expect(run, run.output).toMatchObject({
    exit: 0,
    output: expect.stringContaining("nothing of it is there; the release runs it"),
  });
  expect(await rowsOf(staging.url)).toEqual([row("2_index", HOTFIX)]);
  expect(await auditOf(staging.url)).toEqual([]);
});

test("two hotfixes of a night with others around them: the one that is there is recorded, the rest runs in order", async () => {
  const column = "-- release: hotfix\nALTER TABLE note ADD COLUMN colour text;\n";
  const drop = "-- release: hotfix\nDROP INDEX note_title;\nCREATE INDEX note_title_size ON note (title, size);\n";
  const pending = {
    "1_index": `${HOTFIX}CREATE TABLE late (id int);`,
    "2_before": "ALTER TABLE note ADD COLUMN other int;",
    "3_a": column,
    "4_b": drop,
    "5_after": "DROP TABLE late;",
  };
  const { url, directory } = await database(
    "CREATE INDEX note_title ON note (title); ALTER TABLE note ADD COLUMN colour text; CREATE TABLE late (id int)",
    pending,
  );
  const { exit, output } = await migrate(url, directory);
  expect(exit, output).toBe(0);
  expect((await auditOf(url)).map(({ migration }) => migration)).toEqual(["1_index", "3_a"]);
  expect((await rowsOf(url)).map(({ name }) => name)).toEqual(["1_index", "3_a", "2_before", "4_b", "5_after"]);
  const made = "SELECT indexname FROM pg_indexes WHERE tablename = 'note' ORDER BY 1";
  expect(await query(url, made)).toEqual([{ indexname: "note_pkey" }, { indexname: "note_title_size" }]);
});

test("hotfixes that are there in part stop the release before anything, each with its statements and a command", async () => {
  const both = `${HOTFIX}ALTER TABLE note ADD COLUMN colour text;`;
  const pending = { "2_other": "CREATE TABLE other (id int);", "3_a": both };
  const { url, directory } = await database(INDEX, pending);
  await query(url, "ALTER TABLE note ALTER size TYPE bigint");
  const part = await migrate(url, directory);
  expect(part.exit, part.output).toBe(4);
  expect(part.output).toContain("FAILED (hotfix-undecided): The hotfix 3_a is there in part");
  expect(part.output).toMatch(/line 2: there +CREATE INDEX[^\n]*\n[^\n]*\n +line 3: not there +ALTER TABLE/);
  expect(part.output).toContain(`migrator -- drift --migrations ${directory}`);
  writeMigration(directory, "4_b", "-- release: hotfix\nALTER TABLE note ALTER size TYPE text;");
  const two = await migrate(url, directory);
  expect(two.output).toContain("2 hotfixes are there in part");
  expect(two.output).toContain("The hotfix 4_b is");
  const { exit, outcome, text } = await preflightCheck(url, directory, "hotfix");
  expect({ exit, outcome }).toEqual({ exit: 4, outcome: "fail" });
  expect(text).toContain("The hotfix 3_a is there in part");
  expect(await rowsOf(url)).toEqual([]);
  expect(await query(url, "SELECT to_regclass('other') AS other")).toEqual([{ other: null }]);
});

test("what the catalog can't show stops hotfixes whose rest is there, and the commands of the message go on", async () => {
  const rows = `${HOTFIX}UPDATE note SET title = 'secret-value' WHERE title IS NULL;`;
  const block = "-- release: hotfix\nCREATE INDEX late ON note (size);\nDO $$ BEGIN END $$;";
  const { url, directory } = await database(`${INDEX}`, { "2_rows": rows, "3_do": block });
  await query(url, "CREATE INDEX late ON note (size)");
  const { exit, output } = await migrate(url, directory);
  expect(exit, output).toBe(4);
  expect(output).toContain("doesn't show whether 1 statement of the hotfix 2_rows (line 3) was run; the others were");
  expect(output).not.toContain("secret-value");
  const commands = [...output.matchAll(/then: npm run migrator -- (resolve .*) --migrations/g)].map(
    ([, each]) => each!,
  );
  expect(commands).toEqual(["resolve --applied 2_rows", "resolve --applied 3_do --force"]);
  for (const command of commands)
    expect(await migrate(url, directory, ...command.split(" "))).toMatchObject({ exit: 0 });
  writeMigration(directory, "4_delete", "-- release: hotfix\nDELETE FROM note;");
  const refused = await migrate(url, directory);
  expect(refused).toMatchObject({ exit: 5, output: expect.stringContaining("doesn't show whether rows were changed") });
});

test("a role without CREATEDB: something of that name stops the release with the missing right, and the command of the message goes on", async () => {
  await query(postgres.url, "CREATE ROLE plain LOGIN PASSWORD 'plain'");
  const { url, directory } = await database(INDEX, { "2_a": HOTFIX });
  await query(
    url,
    "ALTER SCHEMA public OWNER TO plain; ALTER TABLE note OWNER TO plain; ALTER SCHEMA _release OWNER TO plain",
  );
  for (const table of ["_prisma_migrations", "_release.audit", "_release.step", "_release.record"])
    await query(url, `ALTER TABLE ${table} OWNER TO plain`);
  const plain = asRole(url, "plain", "plain");
  const stopped = await migrate(plain, directory);
  expect(stopped.exit, stopped.output).toBe(4);
  expect(stopped.output).toMatch(/is there by name, and [^\n]*lacks CREATEDB/);
  expect(stopped.output).toContain(`resolve --applied 2_a --migrations ${directory}`);
  expect(await migrate(plain, directory, "resolve", "--applied", "2_a")).toMatchObject({ exit: 0 });
  expect(await migrate(plain, directory)).toMatchObject({ exit: 0 });
});

test("a run that ends while it records leaves neither row nor evidence, and the next one records", async () => {
  const { url, directory } = await database(INDEX, { "2_a": HOTFIX });
  await query(url, "ALTER TABLE _release.audit ADD CONSTRAINT no CHECK (event <> 'hotfix.recorded')");
  expect((await migrate(url, directory)).exit).not.toBe(0);
  expect(await rowsOf(url)).toEqual([]);
  await query(url, "ALTER TABLE _release.audit DROP CONSTRAINT no");
  expect(await migrate(url, directory)).toMatchObject({ exit: 0 });
  expect(await rowsOf(url)).toEqual([row("2_a", HOTFIX)]);
  expect(await auditOf(url)).toHaveLength(1);
});

test("the command of an app finds a recorded hotfix applied, and isn't run over one that is there in part", async () => {
  const { url, directory } = await database(INDEX, { "2_a": HOTFIX });
  const show = `const { Client } = require("pg"); const client = new Client({ connectionString: process.env.DATABASE_URL }); client.connect()
    .then(() => client.query("SELECT count(*) FROM _prisma_migrations")).then(({ rows }) => { console.log("rows:", rows[0].count); return client.end(); })`;
  const command = ["run", "--migrations", directory, "--", process.execPath, "-e", show];
  const environment = { DATABASE_URL: url, NODE_PATH: `${process.cwd()}/node_modules` };
  const { exit, output } = await startMigrator(command, environment).ended;
  expect(exit, output).toBe(0);
  expect(output).toContain("0 of 2 migrations are pending");
  expect(output).toContain("rows: 2");
  expect(output).toContain("Verified");
  writeMigration(directory, "3_b", "-- release: hotfix\nALTER TABLE note ADD COLUMN colour int;");
  await query(url, "ALTER TABLE note ADD COLUMN colour text");
  const stopped = await startMigrator(command, environment).ended;
  expect(stopped).toMatchObject({ exit: 4, output: expect.stringContaining("hotfix-undecided") });
  expect(stopped.output).not.toContain("rows:");
});
