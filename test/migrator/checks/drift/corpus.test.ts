import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Snapshot } from "../../../../migrator/checks/drift/object";
import { planChange } from "../../../../migrator/checks/drift/plan";
import { readObjectsInTransaction } from "../../../../migrator/checks/drift/read-objects";
import { changedFacts } from "../../../../migrator/checks/drift/rule";
import { OWN_PATH } from "../../../../migrator/db/search-path";
import { startPostgres, type TestPostgres } from "../../../support/postgres";
import { BASE, CORPUS } from "./corpus";

let postgres: TestPostgres;
let client: Client;
let history: Snapshot;
let major: number;

beforeAll(async () => {
  postgres = await startPostgres();
  client = new Client({ connectionString: await postgres.createDatabase() });
  await client.connect();
  await client.query("CREATE ROLE drift_app");
  await client.query(BASE);
  await client.query(OWN_PATH);
  history = await snapshot();
  major = Math.floor(Number((await client.query("SHOW server_version_num")).rows[0].server_version_num) / 10_000);
});
afterAll(async () => {
  await client?.end();
  await postgres?.stop();
});

// The server plans the query once, which takes longer than to run it.
const snapshot = () =>
  readObjectsInTransaction({ rows: async (text) => (await client.query({ name: "objects", text })).rows });

/** Runs `work` in a transaction that is rolled back, so that the next one finds the database as the history made it. */
async function undone<T>(work: () => Promise<T>): Promise<T> {
  await client.query("BEGIN; SET LOCAL check_function_bodies = off");
  try {
    return await work();
  } finally {
    await client.query("ROLLBACK");
  }
}

async function run(sql: string): Promise<void> {
  await client.query("SET LOCAL search_path = public");
  await client.query(sql);
  await client.query(OWN_PATH.replace("SET", "SET LOCAL"));
}

/** The keys of the objects in which two databases differ. */
function differing(a: Snapshot, b: Snapshot): string[] {
  return [...new Set([...a.keys(), ...b.keys()])].filter((key) => {
    const [before, after] = [a.get(key), b.get(key)];
    return !before || !after || changedFacts(before, after).length > 0;
  });
}

const sqlOf = (plan: ReturnType<typeof planChange>) => plan.statements.map(({ sql }) => `${sql};\n`).join("");

test("no drift is found in a database that is as its history made it", async () => {
  expect(differing(history, await snapshot())).toEqual([]);
  expect(history.size).toBeGreaterThan(60);
});

describe.each(CORPUS)("$sql", ({ sql, finds, never = [] }) => {
  test("is found, and taken back or into the history by its SQL", async () => {
    const live = await undone(async () => {
      await run(sql);
      const live = await snapshot();
      expect(differing(history, live)).toContain(finds);
      const plan = planChange(live, { to: history, major });
      expect({ direction: "to-database", never: plan.notGenerated.length > 0 }).toEqual({
        direction: "to-database",
        never: never.includes("to-database"),
      });
      await client.query(sqlOf(plan));
      if (plan.notGenerated.length === 0) expect(differing(history, await snapshot())).toEqual([]);
      return live;
    });
    const plan = planChange(history, { to: live, major });
    expect({ direction: "to-history", never: plan.notGenerated.length > 0 }).toEqual({
      direction: "to-history",
      never: never.includes("to-history"),
    });
    await undone(async () => {
      await client.query(sqlOf(plan));
      if (plan.notGenerated.length === 0) expect(differing(live, await snapshot())).toEqual([]);
    });
  });
});
