import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dumpDatabase, startPostgres, type TestPostgres } from "../support/postgres";

let server: TestPostgres;

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

const schema = `
  CREATE TYPE colour AS ENUM ('red', 'blue');
  CREATE TABLE note (id serial PRIMARY KEY, body text NOT NULL DEFAULT '', colour colour, score float8, raw bytea);
  CREATE INDEX note_body ON note (body);
  CREATE VIEW red AS SELECT id FROM note WHERE colour = 'red';
  CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT n * 2';
  INSERT INTO note (body, colour, score, raw) VALUES ('b', 'red', 0.1, '\\x00ff'), ('a', NULL, 'NaN', NULL);`;

test("equal databases give equal dumps, and any difference shows", async () => {
  const [one, other] = await Promise.all([server.createDatabase(), server.createDatabase()]);
  await query(one, schema);
  await query(other, schema);
  const before = await dumpDatabase(one);
  expect(await dumpDatabase(other)).toBe(before);
  for (const change of [
    "UPDATE note SET raw = '\\x00fe' WHERE body = 'b'",
    "ALTER TABLE note ALTER body DROP NOT NULL",
    "DROP INDEX note_body",
    "CREATE OR REPLACE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT n * 3'",
    "ALTER SEQUENCE note_id_seq INCREMENT 2",
    "ALTER TYPE colour ADD VALUE 'green'",
  ]) {
    const last = await dumpDatabase(other);
    await query(other, change);
    expect(await dumpDatabase(other), change).not.toBe(last);
  }
  expect(await dumpDatabase(one)).toBe(before);
});

test("what was committed survives kill -9 of the whole server", async () => {
  const url = await server.createDatabase();
  await query(url, schema);
  const before = await dumpDatabase(url);
  await server.kill();
  await expect(query(url, "SELECT 1")).rejects.toThrow("ECONNREFUSED");
  await server.restart();
  expect(await dumpDatabase(url)).toBe(before);
});

test("settings reach the server", async () => {
  const other = await startPostgres({ settings: { max_connections: "17" } });
  try {
    expect(await query(other.url, "SHOW max_connections")).toEqual([{ max_connections: "17" }]);
    expect(other.port).not.toBe(server.port);
  } finally {
    await other.stop();
  }
  await expect(query(other.url, "SELECT 1")).rejects.toThrow("ECONNREFUSED");
});
