import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, query, scratch, startMigrator } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

/** Looks at the database behind the URL with a connection string that leads to another server. */
function look(url: string, directory: string, ...args: string[]) {
  const { host } = new URL(url);
  const elsewhere = url.replace(host, "source.example:5432");
  const words = ["restored", "--migrations", directory, "--server", host, ...args];
  return startMigrator(words, { DATABASE_URL: elsewhere }).ended;
}

describe("restored", () => {
  test("connects to the copy with the source's roles, analyzes it, and tells schema and rows", async () => {
    const url = await postgres.createDatabase();
    const first = "CREATE TABLE notes (id int PRIMARY KEY); INSERT INTO notes SELECT generate_series(1, 30);";
    const directory = historyOf({ "1_init": first, "2_next": "CREATE TABLE later (id int);" });
    expect((await migrate(url, historyOf({ "1_init": first }))).exit).toBe(0);
    await query(url, "INSERT INTO notes VALUES (31)");
    const expected = join(scratch, "expected.json");
    writeFileSync(
      expected,
      JSON.stringify({ sizes: { tables: { notes: { rows: 33, bytes: 1 } } }, counts: { notes: 31 } }),
    );
    const { exit, output } = await look(url, directory, "--expect", expected);
    expect(exit, output).toBe(0);
    expect(output).toContain("Schema: 1_init, 1 migration applied; 1 migration of this checkout is not in it.");
    expect(output).toMatch(/Rows +here +at its last release +live release\n +notes +31 +~30 +~33\n/);
    expect(output).toContain("Everything is there.");
    const [analyzed] = await query(url, "SELECT reltuples::int AS n FROM pg_class WHERE relname = 'notes'");
    expect(analyzed).toEqual({ n: 31 });
  });

  test("ends with 9 and names what is missing, in the log and in its event", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({ "1_init": "CREATE TABLE notes (id int);", "2_next": "CREATE TABLE tags (id int);" });
    expect((await migrate(url, directory)).exit).toBe(0);
    await query(url, "DELETE FROM _prisma_migrations WHERE migration_name = '2_next'");
    const { exit, output } = await look(url, directory, "--json");
    expect(exit, output).toBe(9);
    const events = output.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));
    expect(events.find(({ event }) => event === "restored")).toMatchObject({
      ...{ last: "1_init", applied: 1, rows: { notes: 0, tags: 0 } },
      findings: ["Its own records name 2_next as applied, and its history doesn't."],
    });
    expect(output).toContain("only the copy was looked at, and analyzed.");
  });

  test("wants a server as HOST:PORT, and a file that can be read", async () => {
    const directory = historyOf({});
    const wrong = await migrate(postgres.url, directory, "restored", "--server", "copy");
    expect(wrong).toMatchObject({
      exit: 2,
      output: expect.stringContaining('--server is "copy", and must be HOST:PORT.'),
    });
    const missing = await migrate(postgres.url, directory, "restored", "--expect", "/nowhere");
    expect(missing).toMatchObject({ exit: 2, output: expect.stringContaining("--expect /nowhere can't be read") });
  });
});
