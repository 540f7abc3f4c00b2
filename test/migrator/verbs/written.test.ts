import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, scratch } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

const FIRST =
  "CREATE TABLE notes (id int PRIMARY KEY, body text); INSERT INTO notes SELECT generate_series(1, 30), 'a';";
const SECOND = "UPDATE notes SET body = 'b' WHERE id <= 5;";

/** The last event of a name. */
function eventOf(output: string, name: string) {
  const events = output.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []));
  return events.findLast(({ event }) => event === name);
}

/** A write of a session that has ended, so that the server has its counts. */
async function write(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(sql);
  await client.end();
}

test("the rows that were written since a backup are told, and of them those after its migrations", async () => {
  const url = await postgres.createDatabase();
  expect((await migrate(url, historyOf({ "1_init": FIRST }))).exit).toBe(0);
  const directory = historyOf({ "1_init": FIRST, "2_next": SECOND });
  await write(url, "INSERT INTO notes VALUES (30 + 1, 'in the backup')");
  // A restore of the backup that is made now has the counters of the release before.
  const copy = await migrate(url, directory, "restored", "--json");
  const { source, copy: own } = eventOf(copy.output, "restored").written;
  expect(source).toMatchObject({ counters: { moment: "after-migrations", tables: { notes: { inserted: 30 } } } });
  expect(own.counters.tables.notes).toMatchObject({ inserted: 31, updated: 0 });
  expect((await migrate(url, directory)).exit).toBe(0);
  await write(url, "INSERT INTO notes VALUES (32, 'c'), (33, 'd'); DELETE FROM notes WHERE id = 1");
  const expected = join(scratch, "base.json");
  writeFileSync(expected, JSON.stringify({ base: source }));
  const { exit, output } = await migrate(url, directory, "written", "--expect", expected);
  expect(exit, output).toBe(0);
  expect(output).toMatch(
    /Written since \S+, by the app and by migrations:\n {2}notes: 2 inserted, 5 updated, 1 deleted; 2 inserted, 1 deleted after the migrations\n/,
  );

  const other = new Client({ connectionString: url, application_name: "notes-worker" });
  await other.connect();
  await other.query("BEGIN; UPDATE notes SET body = 'e' WHERE id = 2");
  const seen = await migrate(url, directory, "written", "--expect", expected, "--json");
  await other.end();
  expect(eventOf(seen.output, "written.connection").message).toMatch(/\(notes-worker\).*, and writing now\.$/);

  const { found } = eventOf((await migrate(url, directory, "written", "--json")).output, "written");
  expect(found).toMatchObject({ since: null, rows: { notes: expect.any(Number) } });
});
