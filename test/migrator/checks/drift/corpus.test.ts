import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startPostgres, type TestPostgres } from "../../../support/postgres";
import { BASE, CORPUS } from "./corpus";
import { CorpusDatabase } from "./try-drift";

let postgres: TestPostgres;
let client: Client;
let database: CorpusDatabase;

beforeAll(async () => {
  postgres = await startPostgres();
  client = new Client({ connectionString: await postgres.createDatabase() });
  await client.connect();
  await client.query("CREATE ROLE drift_app");
  await client.query(BASE);
  database = await CorpusDatabase.of(client);
});
afterAll(async () => {
  await client?.end();
  await postgres?.stop();
});

test("no drift is found in a database that is as its history made it", async () => {
  expect(await database.differing()).toEqual([]);
  expect(database.history.size).toBeGreaterThan(60);
});

describe.each(CORPUS)("$sql", (drift) => {
  test("is found, and taken back or into the history by its SQL", async () => {
    const { found, ...outcomes } = await database.try(drift);
    expect(found).toContain(drift.finds);
    const expected = (direction: "to-history" | "to-database") =>
      drift.never?.includes(direction) ? "not generated" : "no drift";
    expect(outcomes).toEqual({ "to-database": expected("to-database"), "to-history": expected("to-history") });
  });
});
