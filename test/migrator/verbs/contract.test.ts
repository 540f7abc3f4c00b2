import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, query, writeMigration } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

const FIRST = { "1_init": "CREATE TABLE t (a int, b int);" };
const CONTRACT = "-- release: contract\nALTER TABLE t DROP COLUMN a;";

async function columns(url: string): Promise<string[]> {
  const rows = await query<{ name: string }>(
    url,
    "SELECT attname AS name FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attisdropped",
  );
  return rows.map(({ name }) => name);
}

describe("a contract migration", () => {
  test("waits for the rollout, and is applied after it", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf(FIRST);
    await migrate(url, directory);
    writeMigration(directory, "2_add", "ALTER TABLE t ADD COLUMN c int;");
    writeMigration(directory, "3_contract", CONTRACT);

    const before = await migrate(url, directory, "--hold-contract");
    expect(before).toMatchObject({ exit: 0, output: expect.stringContaining("After the rollout: 3_contract") });
    expect(await columns(url)).toEqual(["a", "b", "c"]);

    const after = await migrate(url, directory, "--after-rollout", "--soak", "1s");
    expect(after).toMatchObject({
      exit: 0,
      output: expect.stringContaining("The new version serves; 3_contract follows"),
    });
    expect(await columns(url)).toEqual(["b", "c"]);
    expect(await migrate(url, directory, "--hold-contract")).toMatchObject({
      exit: 0,
      output: expect.stringContaining("Nothing to do"),
    });
  });

  test("can't be followed by an ordinary one in the same release", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf(FIRST);
    await migrate(url, directory);
    writeMigration(directory, "2_contract", CONTRACT);
    writeMigration(directory, "3_add", "ALTER TABLE t ADD COLUMN c int;");
    const { exit, output } = await migrate(url, directory, "--hold-contract");
    expect(exit).toBe(4);
    expect(output).toMatch(/FAILED \(ordinary-after-contract\): 3_add follows 2_contract/);
    expect(output).toMatch(/Next: release up to 2_contract first/);
    expect(await columns(url)).toEqual(["a", "b"]);
  });

  test("is applied with all others in a database that has no old pods", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({ ...FIRST, "2_contract": CONTRACT, "3_add": "ALTER TABLE t ADD COLUMN c int;" });
    expect(await migrate(url, directory, "--hold-contract")).toMatchObject({ exit: 0 });
    expect(await columns(url)).toEqual(["b", "c"]);
  });

  test("that fails leaves the new version serving, and says so", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf(FIRST);
    await migrate(url, directory);
    writeMigration(directory, "2_contract", "-- release: contract\nALTER TABLE t DROP COLUMN nothing;");
    const { exit, output } = await migrate(url, directory, "--after-rollout");
    expect(exit).not.toBe(0);
    expect(output).toContain("App: the new version is rolled out, and goes on serving.");
    expect(await columns(url)).toEqual(["a", "b"]);
  });
});
