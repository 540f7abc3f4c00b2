import { afterAll, beforeAll, expect, test } from "vitest";
import type { Measurement } from "../../../report/measurement";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, query, writeMigration } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres({ settings: { shared_preload_libraries: "pg_stat_statements" } });
}, 120_000);
afterAll(() => postgres.stop());

test("a measured deploy tells which frequent statements the planner now runs in another way", async () => {
  const url = await postgres.createDatabase();
  const directory = historyOf({
    "1_init": `CREATE EXTENSION pg_stat_statements; CREATE TABLE notes (id int PRIMARY KEY, email text, kind text);
      CREATE INDEX notes_email ON notes (email);
      INSERT INTO notes SELECT n, 'secret' || n, 'a' FROM generate_series(1, 20000) n;`,
  });
  expect((await migrate(url, directory)).exit).toBe(0);
  await query(url, "SELECT pg_stat_statements_reset()");
  for (let count = 0; count < 3; count++) {
    await query(url, "SELECT id FROM notes WHERE email = $1", ["secret1"]);
    await query(url, "SELECT email FROM notes WHERE id = 5");
  }
  writeMigration(directory, "2_drop", "DROP INDEX notes_email;");
  const { output } = await migrate(url, directory, "--json", "--measure");
  const events = output.split("\n").filter((line) => line.startsWith("{"));
  const { plans }: Measurement = events.map((line) => JSON.parse(line)).find(({ event }) => event === "measured");
  expect(plans).toEqual([
    {
      statement: "SELECT id FROM notes WHERE email = $1",
      calls: 3,
      costBefore: expect.any(Number),
      costAfter: expect.any(Number),
      before: ["Index Scan on notes (notes_email)"],
      after: ["Seq Scan on notes"],
    },
  ]);
  expect(plans![0]!.costAfter).toBeGreaterThan(10 * plans![0]!.costBefore!);
  expect(output).not.toContain("secret1");
});
