import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tableSizes } from "../../../migrator/checks/table-sizes";
import { Session } from "../../../migrator/db/connection";
import { parseUrl } from "../../../migrator/db/url";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { query } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 120_000);
afterAll(() => postgres.stop());

async function sizesOf(url: string) {
  const session = await Session.open(parseUrl(url), { applicationName: "test", connectWait: 5_000 });
  try {
    return await tableSizes(session);
  } finally {
    await session.close();
  }
}

describe("the sizes of the tables", () => {
  test("are rows and bytes, with indexes, by the names that the migrations use; the largest first", async () => {
    const url = await postgres.createDatabase();
    await query(
      url,
      `CREATE SCHEMA shop; CREATE SCHEMA _release; CREATE TABLE _release.record (id int);
       CREATE TABLE _prisma_migrations (id text);
       CREATE TABLE "User" (id int PRIMARY KEY, name text); INSERT INTO "User" SELECT n, repeat('x', 100) FROM generate_series(1, 5000) n;
       CREATE TABLE shop.cart (id int); INSERT INTO shop.cart SELECT generate_series(1, 10);
       CREATE TABLE log (id int, at date) PARTITION BY RANGE (at);
       CREATE TABLE log_2026 PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
       INSERT INTO log SELECT n, '2026-05-05' FROM generate_series(1, 2000) n; ANALYZE`,
    );
    const sizes = await sizesOf(url);
    expect(Object.keys(sizes)).toEqual(["User", "log", "log_2026", "shop.cart"]);
    const [exact] = await query<{ bytes: string }>(url, `SELECT pg_total_relation_size('"User"') AS bytes`);
    expect(sizes["User"]).toEqual({ rows: 5000, bytes: Number(exact!.bytes) });
    expect(sizes["log"]).toEqual(sizes["log_2026"]);
    expect(sizes["log"]!.rows).toBe(2000);
    // Under a schema of Prisma's own it is that one that needs no name.
    expect(Object.keys(await sizesOf(`${url}?schema=shop`))).toEqual([
      "public.User",
      "public.log",
      "public.log_2026",
      "cart",
    ]);
  });

  test("are estimates while somebody holds a table exclusively: nothing waits for it", async () => {
    const url = await postgres.createDatabase();
    await query(url, "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a SELECT generate_series(1, 1000); ANALYZE a");
    const holder = new Client({ connectionString: url });
    await holder.connect();
    try {
      await holder.query("BEGIN; LOCK TABLE a IN ACCESS EXCLUSIVE MODE");
      const { a } = await sizesOf(url);
      expect(a!.rows).toBe(1000);
      expect(a!.bytes).toBeGreaterThan(30_000);
    } finally {
      await holder.end();
    }
  });
});
