import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, preflightCheck, query, writeMigration } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

const HISTORY = {
  "1_events": `CREATE TABLE event (id bigint GENERATED ALWAYS AS IDENTITY, at date NOT NULL, v text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
    CREATE TABLE event_2026_01 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
    CREATE INDEX event_v ON event (v);`,
  "2_notes": "CREATE TABLE note (id serial PRIMARY KEY, v text NOT NULL);",
};

/** A released database, and with `records: false` one that only the Prisma CLI has migrated. */
async function released(history: Record<string, string>, records: boolean) {
  const url = await postgres.createDatabase();
  const directory = historyOf(history);
  const { exit, output } = await migrate(url, directory);
  expect({ exit, output }).toMatchObject({ exit: 0 });
  if (!records) await query(url, "DROP SCHEMA _release CASCADE");
  writeMigration(directory, "9_next", "CREATE TABLE next (id int PRIMARY KEY);");
  return { url, directory };
}

describe.each([
  ["compared with the last release's record", true],
  ["compared with the history on a scratch database", false],
])("%s", (_, records) => {
  test("extensions, partitions and other tools' tables that came or went are named, and stop no release", async () => {
    const { url, directory } = await released(HISTORY, records);
    await query(
      url,
      `CREATE EXTENSION pg_stat_statements; CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext;
       CREATE TABLE event_2026_02 PARTITION OF event FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
       CREATE TABLE event_rest PARTITION OF event DEFAULT;
       DROP TABLE event_2026_01;
       CREATE TABLE awsdms_ddl_audit (c_key bigserial PRIMARY KEY, c_time timestamp, c_name varchar(64));
       CREATE INDEX awsdms_time ON awsdms_ddl_audit (c_time);
       CREATE TABLE "__EFMigrationsHistory" (id int PRIMARY KEY);
       CREATE STATISTICS note_statistics ON id, v FROM note; ALTER TABLE note ALTER v SET STATISTICS 500; ANALYZE note`,
    );
    const { exit, outcome, text } = await preflightCheck(url, directory, "drift");
    expect({ exit, outcome, text }).toEqual({ exit: 0, outcome: "ok", text });
    for (const name of [
      "extension pg_stat_statements",
      "partition public.event_2026_02",
      "partition public.event_2026_01",
    ])
      expect(text).toContain(name);
  });

  test("what somebody changed in a table of the history is drift, beside whatever else came", async () => {
    const { url, directory } = await released(HISTORY, records);
    await query(
      url,
      `CREATE EXTENSION citext; CREATE INDEX event_at ON event (at); ALTER TABLE note ADD COLUMN hotfix citext;
       ALTER TABLE note ALTER v DROP NOT NULL; CREATE TABLE awsdms_control (id int)`,
    );
    const { exit, text } = await preflightCheck(url, directory, "drift");
    expect(exit).toBe(4);
    for (const line of ["+ index public.event_at", "+ column public.note.hotfix", "~ column public.note.v"])
      expect(text).toContain(line);
    expect(text).not.toMatch(/[+~-] (extension|table public\.awsdms)/);
  });
});

test("a record of another major version is not compared, as each writes definitions in its own words", async () => {
  const { url, directory } = await released(HISTORY, true);
  await query(
    url,
    `UPDATE _release.record SET data = jsonb_set(jsonb_set(data::jsonb, '{major}', '12'), '{catalog,column public.note.v}', '"text NOT NULL in other words"')
     WHERE kind = 'catalog'`,
  );
  const { exit, text } = await preflightCheck(url, directory, "drift");
  expect({ exit, text }).toMatchObject({ exit: 0, text: expect.stringContaining("scratch database") });
});
