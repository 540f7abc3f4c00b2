import { Client, type QueryResult } from "pg";
import { afterAll, beforeAll } from "vitest";
import { checksumOf } from "../../migrations/history/history";
import { reviewRelease } from "../../review/review";
import { startPostgres, type TestPostgres } from "./postgres";

/** Starts a Postgres for the tests of the file or `describe` that calls this, and runs `sql` on it before the first of them. */
export function serverWith(sql: string): { query(sql: string): Promise<QueryResult> } {
  let postgres: TestPostgres;
  let client: Client;
  beforeAll(async () => {
    postgres = await startPostgres();
    client = new Client({ connectionString: postgres.url });
    await client.connect();
    await client.query(sql);
  });
  afterAll(async () => {
    await client.end();
    await postgres.stop();
  });
  return { query: (text) => client.query(text) };
}

/** Returns a function that reviews a migration which comes after `base`; the parser must be loaded when it is called. */
export function reviewAfter(base: string) {
  const migration = (name: string, sql: string) => ({ name, sql, checksum: checksumOf(sql) });
  const before = migration("1_base", base);
  return (sql: string) => reviewRelease({ history: [before, migration("2_new", sql)], applied: [before] }).findings;
}
