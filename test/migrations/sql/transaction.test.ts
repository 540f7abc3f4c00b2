import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checksumOf } from "../../../migrations/history/history";
import { loadParser, planMigration } from "../../../migrations/history/plan";
import { startPostgres, type TestPostgres } from "../../support/postgres";

/** What the statements below act on. */
const setup = `
  CREATE TABLE t (id int PRIMARY KEY, n int, e int); CREATE INDEX t_n ON t (n); INSERT INTO t SELECT i, i FROM generate_series(1, 10) i;
  CREATE TABLE other (id int); CREATE TYPE mood AS ENUM ('ok', 'sad');
  CREATE TABLE p (id int, at date) PARTITION BY RANGE (at);
  CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
  CREATE MATERIALIZED VIEW m AS SELECT id FROM t; CREATE UNIQUE INDEX m_id ON m (id); CLUSTER t USING t_pkey;
  CREATE PROCEDURE quiet() LANGUAGE sql AS 'SELECT 1';
`;

const inside = [
  "CREATE INDEX ON t (n)",
  "CREATE UNIQUE INDEX ON t (n)",
  "DROP INDEX t_n",
  "REINDEX INDEX t_n",
  "REINDEX TABLE t",
  "REINDEX (VERBOSE) TABLE t",
  "REINDEX (CONCURRENTLY off) TABLE t",
  "REFRESH MATERIALIZED VIEW m",
  "REFRESH MATERIALIZED VIEW CONCURRENTLY m",
  "ALTER TABLE p DETACH PARTITION p1",
  "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
  "CLUSTER t",
  "ANALYZE",
  "ANALYZE t",
  "ALTER TYPE mood ADD VALUE 'new'",
  "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'",
  "TRUNCATE t",
  "LOCK TABLE t",
  "SET lock_timeout = '1s'",
  "SET LOCAL lock_timeout = '1s'",
  "RESET ALL",
  "DISCARD PLANS",
  "DISCARD TEMP",
  "CREATE SCHEMA s",
  "CREATE ROLE some_role",
  "ALTER DATABASE postgres SET work_mem = '5MB'",
  "CREATE PUBLICATION pub FOR TABLE t",
  "CREATE SUBSCRIPTION sub CONNECTION 'dbname=absent' PUBLICATION pub WITH (connect = false)",
  "CHECKPOINT",
  "DO $$ BEGIN PERFORM 1; END $$",
  "DO $$ BEGIN RAISE NOTICE 'commit'; END $$",
  "CALL quiet()",
  "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END",
  "ALTER TABLE t SET TABLESPACE pg_default",
  "ALTER TABLE t SET LOGGED",
  "CREATE TABLE copy_of_t AS SELECT * FROM t",
  "NOTIFY something",
  "GRANT SELECT ON t TO PUBLIC",
];

const outside = [
  "CREATE INDEX CONCURRENTLY ON t (n)",
  "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_u ON t (n)",
  "DROP INDEX CONCURRENTLY t_n",
  "DROP INDEX CONCURRENTLY IF EXISTS t_n",
  "REINDEX INDEX CONCURRENTLY t_n",
  "REINDEX TABLE CONCURRENTLY t",
  "REINDEX (CONCURRENTLY) TABLE t",
  "REINDEX (CONCURRENTLY on, VERBOSE) TABLE t",
  "REINDEX SCHEMA public",
  "REINDEX DATABASE postgres",
  "REINDEX SYSTEM postgres",
  "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY",
  "VACUUM",
  "VACUUM t",
  "VACUUM (FULL, ANALYZE) t",
  "CLUSTER",
  "ALTER SYSTEM SET work_mem = '5MB'",
  "ALTER SYSTEM RESET ALL",
  "CREATE DATABASE another",
  "DROP DATABASE another",
  "DROP DATABASE IF EXISTS another",
  "ALTER DATABASE postgres SET TABLESPACE pg_default",
  "CREATE TABLESPACE space LOCATION '/nowhere'",
  "DROP TABLESPACE space",
  "DISCARD ALL",
  "COMMIT PREPARED 'x'",
  "ROLLBACK PREPARED 'x'",
  "CREATE SUBSCRIPTION sub CONNECTION 'dbname=absent' PUBLICATION pub",
  "CREATE SUBSCRIPTION sub CONNECTION 'dbname=absent' PUBLICATION pub WITH (create_slot = true)",
  "DO $$ BEGIN COMMIT; END $$",
  "DO LANGUAGE plpgsql 'BEGIN IF true THEN ROLLBACK; END IF; END'",
];

let postgres: TestPostgres;
let client: Client;
beforeAll(async () => {
  await loadParser();
  postgres = await startPostgres();
  client = new Client({ connectionString: await postgres.createDatabase() });
  await client.connect();
  await client.query(setup);
});
afterAll(async () => {
  await client?.end();
  await postgres?.stop();
});

/** Whether the server refuses it for standing in a transaction; the transaction is undone in any case. */
async function refused(sql: string): Promise<boolean> {
  await client.query("BEGIN");
  try {
    await client.query(sql);
    return false;
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    if (code === "25001" || code === "2D000") return true;
    throw new Error(`${code} ${message}`);
  } finally {
    await client.query("ROLLBACK");
  }
}

const plan = (sql: string) => planMigration({ name: "1_a", sql, checksum: checksumOf(sql) });

describe("what can run in a transaction, as the server itself sees it", () => {
  test.each(inside)("can: %s", async (sql) => {
    expect(await refused(sql)).toBe(false);
    expect(plan(sql)).toMatchObject({ mode: "transaction", statements: [{ canRunInTransaction: true }] });
  });

  test.each(outside)("can't: %s", async (sql) => {
    expect(await refused(sql)).toBe(true);
    const planned = plan(sql);
    expect(planned).toMatchObject({ mode: "statements", statements: [{ canRunInTransaction: false }] });
    expect(planned.statements[0]?.outsideTransaction).toBeTruthy();
  });

  test("a new enum value must be committed before it is used, unless its type is new too", async () => {
    const add = "ALTER TYPE mood ADD VALUE 'it''s new';";
    const use = "SELECT 'it''s new'::mood;";
    await client.query("BEGIN");
    await client.query(add);
    await expect(client.query(use)).rejects.toMatchObject({ code: "55P04" });
    await client.query("ROLLBACK");
    // Whether it is used is for the server to say: the migrator tries one transaction first.
    expect(plan(add + use).mode).toBe("transaction");

    const made = "CREATE TYPE fresh AS ENUM (); ALTER TYPE fresh ADD VALUE 'a'; SELECT 'a'::fresh;";
    await client.query("BEGIN");
    await client.query(made);
    await client.query("ROLLBACK");
    expect(plan(made).mode).toBe("transaction");
  });
});
