import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, preflightCheck, query } from "../support";

let postgres: TestPostgres;
/** In use: 9 migrations applied, 2,001 rows. Preflight changes nothing, so the tests share it. */
let url: string;
beforeAll(async () => {
  postgres = await startPostgres();
  url = await postgres.createDatabase();
  expect((await migrate(url, folder())).exit).toBe(0);
});
afterAll(() => postgres.stop());

/** The migrations that the database has, and more. */
function folder(more: Record<string, string> = {}): string {
  const tables = [2, 3, 4, 5, 6, 7, 8, 9].map((n) => [
    `2026010${n}000000_t${n}`,
    `CREATE TABLE t${n} (id int PRIMARY KEY);`,
  ]);
  return historyOf({
    "20260101000000_people": `CREATE TABLE people (id serial PRIMARY KEY, email text, fax text);
      INSERT INTO people (email) SELECT 'a' || n FROM generate_series(1, 2001) n;`,
    ...Object.fromEntries(tables),
    ...more,
  });
}

describe("the review that preflight repeats", () => {
  test("refuses a pending DROP COLUMN by what the database has, whatever the program's review assumed", async () => {
    const directory = folder({ "20260110000000_fax": "ALTER TABLE people DROP COLUMN fax;" });
    const refused = await preflightCheck(url, directory, "review", "--refuse", "destructive");
    expect(refused).toMatchObject({ exit: 4, outcome: "fail" });
    expect(refused.text).toContain("1 refused, 0 acknowledged, of 1 pending migration after 9 applied");
    expect(refused.output).toMatch(
      /FAILED \(preflight\)[\s\S]*drop-column people\.fax[\s\S]*Database: nothing was changed/,
    );
    expect(await query(url, "SELECT count(fax)::int AS fax, count(*)::int FROM people")).toEqual([
      { fax: 0, count: 2001 },
    ]);

    // The line that it says to add lets the same release pass.
    const line = /^Next: .* review\.acknowledgements .*: - (\{.*?\}); then/m.exec(refused.output)![1]!;
    const again = await preflightCheck(url, directory, "review", "--refuse", "destructive", "--acknowledge", line);
    expect(again).toMatchObject({ exit: 0, outcome: "ok" });
    expect(again.text).toContain("0 refused, 1 acknowledged");
    const stale = line.replace(/"checksum":"[^"]*"/, `"checksum":"${"0".repeat(8)}"`);
    expect(
      (await preflightCheck(url, directory, "review", "--refuse", "destructive", "--acknowledge", stale)).exit,
    ).toBe(4);
  });

  test("lets a database be taken over without a setting, where nothing pending is refused", async () => {
    const everything = ["destructive", "blocking", "incompatible", "failing", "partial", "history", "unknown"];
    const refuse = everything.flatMap((each) => ["--refuse", each]);
    expect(await preflightCheck(url, folder(), "review", ...refuse)).toMatchObject({ exit: 0, outcome: "ok" });
    // The table is measured: an index on 2,001 rows is nothing to refuse.
    const directory = folder({ "20260110000000_email": "CREATE INDEX people_email ON people (email);" });
    expect(await preflightCheck(url, directory, "review", ...refuse)).toMatchObject({ exit: 0, outcome: "ok" });
  });

  test("lets a first release into an empty database do anything to its own tables", async () => {
    const directory = historyOf({ "1_a": "CREATE TABLE a (id int, v text);", "2_b": "ALTER TABLE a DROP COLUMN v;" });
    const empty = await postgres.createDatabase();
    expect(await preflightCheck(empty, directory, "review", "--refuse", "destructive")).toMatchObject({ exit: 0 });
  });

  test("finds a migration that is older by name than what is applied, and that everybody took for applied", async () => {
    const directory = folder({ "20260104120000_late": "DROP TABLE t3;" });
    const refused = await preflightCheck(url, directory, "review", "--refuse", "destructive");
    expect(refused).toMatchObject({ exit: 4, text: expect.stringContaining("drop-table t3") });
  });

  test("refuses a contract migration that the app image's own command would apply before the rollout", async () => {
    const sql = "-- release: contract\nALTER TABLE people DROP COLUMN fax;";
    const directory = folder({ "20260110000000_fax": sql });
    const refused = await preflightCheck(url, directory, "review", "--runner", "command");
    expect(refused).toMatchObject({ exit: 4, text: expect.stringContaining("before the rollout") });
    expect(await preflightCheck(url, directory, "review")).toMatchObject({ exit: 0 });
  });

  test("has every mistake in its options named at once", async () => {
    const { exit, output } = await migrate(
      "postgres://x",
      "nowhere",
      "preflight",
      "--refuse",
      "all",
      "--acknowledge",
      "{}",
      "--runner",
      "prisma",
    );
    expect(exit).toBe(2);
    expect(output).toContain('--refuse is "all", and must be one of destructive, ');
    expect(output).toContain(
      "--acknowledge must be a JSON object with the texts checksum, finding, migration, reason.",
    );
    expect(output).toContain('--runner is "prisma", and must be one of migrator, command.');
  });
});
