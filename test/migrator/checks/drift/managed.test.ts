import { afterAll, beforeAll, expect, test } from "vitest";
import { startPostgres, type TestPostgres } from "../../../support/postgres";
import { historyOf, migrate, query } from "../../support";
import { DEFAULT_PRIVILEGES, MANAGED, MANAGED_BY_OTHERS } from "./managed";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
  await query(postgres.url, "CREATE ROLE drift_app");
});
afterAll(() => postgres.stop());

test("what partition managers, extensions and other tools make is no drift, and what is changed by hand beside it is", async () => {
  const url = await postgres.createDatabase();
  const directory = historyOf(MANAGED);
  await query(url, DEFAULT_PRIVILEGES);
  expect(await migrate(url, directory)).toMatchObject({ exit: 0 });
  await query(url, MANAGED_BY_OTHERS);
  const none = await migrate(url, directory, "drift");
  expect(none.exit, none.output).toBe(0);
  expect(none.output.match(/(?<=^Not managed by the history: ).*$/gm)).toEqual([
    "extension fuzzystrmatch",
    "schema archive",
    "schema monitoring",
    "schema partman",
    "table archive.measurement_p2025_12",
    "table partman.part_config",
    "table partman.template_measurement",
    "table public.measurement_p2025_11",
    "table public.measurement_p2025_12",
    "table public.measurement_p2026_01",
    "table public.measurement_p2026_02",
    "table public.measurement_p2026_03",
    "table public.measurement_p2026_03_1",
    "table public.schema_migrations",
    "view monitoring.sizes",
  ]);
  await query(
    url,
    `ALTER POLICY own_account ON account USING (true); ALTER TABLE measurement NO FORCE ROW LEVEL SECURITY;
     CREATE INDEX measurement_label ON measurement (label); ALTER TYPE state ADD VALUE 'late'`,
  );
  const found = await migrate(url, directory, "drift");
  expect(found.exit, found.output).toBe(9);
  expect(found.output.match(/^ {2,}[+~-] \S+ [^:\n]+/gm)?.map((line) => line.trim())).toEqual([
    "~ enum public.state",
    "+ index public.measurement_label",
    "~ policy public.account.own_account",
    "~ table public.measurement",
  ]);
  expect(found.output).toContain("Not generated: enum public.state: Postgres can't remove a value of an enum");
  const sql = await migrate(url, directory, "drift", "--format", "sql", "--direction", "to-database");
  expect(sql.output).toContain("-- Not generated: enum public.state: Postgres can't remove a value of an enum");
});
