import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readSettings } from "../../../migrator/cli/read-settings";
import { asRole, startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, preflightCheck, query, writeMigration } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  const settings = { shared_preload_libraries: "pg_stat_statements", track_commit_timestamp: "on" };
  postgres = await startPostgres({ settings });
});
afterAll(() => postgres.stop());

const HISTORY = {
  "1_notes": `CREATE TABLE note (id serial PRIMARY KEY, title text NOT NULL, old text);
    CREATE TABLE event (at date NOT NULL) PARTITION BY RANGE (at); CREATE SCHEMA partman;`,
};

const BY_HAND = `CREATE INDEX note_title ON note (title); ALTER TABLE note ALTER title SET DEFAULT 'none', DROP COLUMN old;
  CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS $$
	SELECT n * 2
  $$; COMMENT ON FUNCTION twice IS 'Doubles.'`;

async function changedByHand() {
  const url = await postgres.createDatabase();
  const directory = historyOf(HISTORY);
  expect((await migrate(url, directory)).exit).toBe(0);
  await query(url, BY_HAND);
  return { url, directory };
}

test("drift names every object that differs, and prints the SQL that takes it back, with locks and losses", async () => {
  const { url, directory } = await changedByHand();
  await query(
    url,
    `CREATE EXTENSION citext; CREATE EXTENSION pg_trgm; CREATE INDEX note_like ON note USING gin (title gin_trgm_ops);
     CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
     CREATE TABLE awsdms_control (id serial PRIMARY KEY); CREATE SCHEMA others CREATE TABLE theirs (id int);
     CREATE TABLE partman.template_public_event (id int); CREATE FUNCTION awsdms_intercept_ddl() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
     CREATE TRIGGER "notify_hasura_note_INSERT" AFTER INSERT ON note FOR EACH ROW EXECUTE FUNCTION awsdms_intercept_ddl()`,
  );
  const text = await migrate(url, directory, "drift");
  expect(text.exit, text.output).toBe(9);
  expect(text.output).toContain("differs in 6 objects");
  expect(text.output.match(/^ {2,}([+~-]) .*$/gm)?.map((line) => line.trim().replace(/ \(at \d{4}-.*\)$/, ""))).toEqual(
    [
      "- column public.note.old",
      "~ column public.note.title: default none → 'none'::text",
      "+ extension pg_trgm",
      "+ function public.twice(n integer)",
      "+ index public.note_like",
      "+ index public.note_title",
    ],
  );
  for (const outside of [
    ...["extension citext", "table public.event_1", "table public.awsdms_control", "schema others", "schema partman"],
    ...["table partman.template_public_event", "function public.awsdms_intercept_ddl()"],
    'trigger public.note."notify_hasura_note_INSERT"',
  ])
    expect(text.output).toContain(`Not managed by the history: ${outside}`);
  const { exit, output } = await migrate(url, directory, "drift", "--format", "sql", "--direction", "to-database");
  expect(exit).toBe(9);
  expect(output).toContain("-- Lock: ACCESS EXCLUSIVE on public.note");
  await query(url, output);
  expect(await migrate(url, directory, "drift")).toMatchObject({ exit: 0 });
});

test("the SQL that drift prints for the history is a migration, after which nothing differs", async () => {
  const { url, directory } = await changedByHand();
  const { output } = await migrate(url, directory, "drift", "--format", "sql");
  expect(output).toContain("-- Destructive: deletes all values of the column");
  writeMigration(directory, "2_by_hand", output);
  const resolved = await migrate(url, directory, "resolve", "--applied", "2_by_hand");
  expect(resolved.exit, resolved.output).toBe(0);
  expect(await migrate(url, directory, "drift")).toMatchObject({ exit: 0 });
  const elsewhere = await postgres.createDatabase();
  expect(await migrate(elsewhere, directory)).toMatchObject({ exit: 0 });
  const json = await migrate(url, directory, "drift", "--format", "json");
  expect(json).toMatchObject({ exit: 0, output: expect.stringContaining('"event":"drift.finished"') });
});

test("drift as JSON has the differences with both values, and the SQL of both directions", async () => {
  const { url, directory } = await changedByHand();
  const { output } = await migrate(url, directory, "drift", "--format", "json");
  const report = output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .find(({ event }) => event === "drift");
  expect(report.differences).toContainEqual({
    key: "column public.note.title",
    change: "changed",
    properties: [{ name: "default", history: null, database: "'none'::text" }],
    at: expect.any(String),
  });
  expect(report.toDatabase.statements).toContainEqual({
    key: "index public.note_title",
    sql: "DROP INDEX public.note_title",
    lock: "ACCESS EXCLUSIVE on public.note",
  });
  expect(report.toHistory.notGenerated).toEqual([]);
});

test("a format that there is not, and one for another verb, are refused", async () => {
  const { url, directory } = await changedByHand();
  const wrong = await migrate(url, directory, "drift", "--format", "xml");
  expect(wrong).toMatchObject({ exit: 2, output: expect.stringContaining("must be one of text, json, sql") });
  const other = await migrate(url, directory, "status", "--direction", "to-history");
  expect(other).toMatchObject({ exit: 2, output: expect.stringContaining("is for the verb drift only") });
});

test("drift and preflight leave out what is ignored, and name it with its reason", async () => {
  const { url, directory } = await changedByHand();
  await query(url, "CREATE TABLE tmp_a (id serial PRIMARY KEY); CREATE INDEX tmp_a_id ON tmp_a (id)");
  const some = ["--ignore", "table public.tmp_*=made by the reports", "--ignore", "index public.note_t*=of the night"];
  const found = await migrate(url, directory, "drift", ...some);
  expect(found.exit, found.output).toBe(9);
  expect(found.output).toContain("Ignored: + table public.tmp_a (made by the reports)");
  expect(found.output).toContain("Ignored: + index public.note_title (of the night)");
  expect(found.output).toContain("differs in 3 objects");
  const sql = await migrate(url, directory, "drift", "--format", "sql", "--direction", "to-database", ...some);
  expect(sql.output).not.toMatch(/^DROP (INDEX|TABLE)/m);
  const all = [...some, "--ignore", "column=known", "--ignore", "function public.twice(*=known"];
  expect(await migrate(url, directory, "drift", ...all)).toMatchObject({ exit: 0 });
  const preflight = await preflightCheck(url, directory, "drift", ...all);
  expect(preflight).toMatchObject({ exit: 0, outcome: "ok" });
  expect(preflight.text).toContain("table public.tmp_a (made by the reports)");
});

test("a role that may only read compares with what the last release recorded", async () => {
  const { url, directory } = await changedByHand();
  await query(
    url,
    `CREATE SCHEMA others CREATE TABLE theirs (id int); COMMENT ON TABLE note IS 'Changed.';
     CREATE ROLE drift_reader LOGIN PASSWORD 'reads-only'; GRANT USAGE ON SCHEMA _release TO drift_reader;
     GRANT SELECT ON _release.record, _release.step, _prisma_migrations TO drift_reader; CREATE ROLE migrates;
     ALTER SCHEMA _release OWNER TO migrates; ALTER TABLE _prisma_migrations OWNER TO migrates;
     ALTER TABLE _release.record OWNER TO migrates; ALTER TABLE _release.step OWNER TO migrates`,
  );
  const reader = asRole(url, "drift_reader", "reads-only");
  const { exit, output } = await migrate(reader, directory, "drift", "--ignore", "comment FUNCTION *=known");
  expect(exit, output).toBe(9);
  expect(output).toContain("Compared with what the last release recorded: the role may not create a scratch database");
  expect(output).toContain("differs in 5 objects");
  expect(output).toContain("- column public.note.old");
  expect(output).toContain("+ comment TABLE public.note");
  expect(output).toContain("Not managed by the history: schema others");
  const { output: sql } = await migrate(reader, directory, "drift", "--format", "sql", "--direction", "to-database");
  await query(url, sql);
  expect(await migrate(reader, directory, "drift")).toMatchObject({ exit: 0 });
  const older = historyOf({});
  expect(await migrate(reader, older, "drift")).toMatchObject({
    exit: 10,
    output: expect.stringContaining("the database has migrations that this folder has not, such as 1_notes"),
  });
  await query(url, "ALTER ROLE drift_reader CREATEROLE");
  expect(await migrate(reader, directory, "drift")).toMatchObject({
    exit: 4,
    output: expect.stringContaining("foreign-records"),
  });
});

test("a role that may only read finds no drift in what `sql --hotfix` has recorded", async () => {
  const url = await postgres.createDatabase();
  const directory = historyOf(HISTORY);
  expect((await migrate(url, directory)).exit).toBe(0);
  const file = `${directory}.sql`;
  writeFileSync(file, "CREATE INDEX note_id_desc ON note (id DESC);");
  const hotfix = await migrate(url, directory, "sql", file, "--hotfix", "order_notes");
  expect(hotfix.exit, hotfix.output).toBe(0);
  await query(
    url,
    `CREATE ROLE hotfix_reader LOGIN PASSWORD 'reads-only'; GRANT USAGE ON SCHEMA _release TO hotfix_reader;
     GRANT SELECT ON _release.record, _release.step, _prisma_migrations TO hotfix_reader`,
  );
  const drift = await migrate(asRole(url, "hotfix_reader", "reads-only"), directory, "drift");
  expect(drift.exit, drift.output).toBe(0);
  expect(drift.output).toContain("Compared with what the last release recorded");
});

test("drift names the role and the time of a change, as far as the server knows them", async () => {
  const { url, directory } = await changedByHand();
  await query(url, "CREATE SCHEMA stats; CREATE EXTENSION pg_stat_statements SCHEMA stats");
  await query(
    url,
    `CREATE ROLE night LOGIN SUPERUSER PASSWORD 'at-night'; CREATE ROLE owns; CREATE VIEW titles AS SELECT title FROM note;
     ALTER VIEW titles OWNER TO owns`,
  );
  await query(asRole(url, "night", "at-night"), "CREATE INDEX note_by_night ON note (id)");
  const { output } = await migrate(url, directory, "drift");
  const at = "at \\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z";
  expect(output).toMatch(new RegExp(`\\+ index public.note_by_night \\(by night, ${at}\\)`));
  expect(output).toMatch(new RegExp(`\\+ view public.titles \\(by owns, ${at}\\)`));
  expect(output).toMatch(new RegExp(`~ column public.note.title: .* \\(${at}\\)`));
  expect(output).toMatch(/- column public.note.old$/m);
});

test("patterns without a reason or a kind are refused, all at once", () => {
  const args = ["drift", "--migrations", "m", "--ignore", "indx a=b", "--ignore", "index public.a="];
  const mistakes = expect.stringMatching(
    /--ignore indx a: the pattern must be .*--ignore index public.a= needs a reason/s,
  );
  const read = () => readSettings(args, { DATABASE_URL: "postgres://a/b" });
  expect(read).toThrow(expect.objectContaining({ detail: mistakes }));
});
