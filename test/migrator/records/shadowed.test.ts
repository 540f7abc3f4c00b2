import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startServer, type TestServer } from "../../support/server";
import { historyOf, migrate, query, writeMigration } from "../support";
import { INTRUSION, shadowCatalog } from "./shadows";

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ settings: { shared_preload_libraries: "pg_stat_statements" } });
}, 120_000);
afterAll(() => server.stop());

const log = () => readFileSync(join(dirname(server.dataDirectory), "log"), "utf8");

/** The default path of a role that has even the catalog's own names taken first from `public`. */
const PUBLIC_FIRST = "search_path = public, pg_catalog";

describe("in a database where public has a trap for every name of the catalog", () => {
  let url: string;
  const directory = historyOf({ "1_a": "CREATE TABLE a (id serial PRIMARY KEY, v text, n int REFERENCES a);" });
  beforeAll(async () => {
    url = await server.createDatabase();
    await query(url, "CREATE SCHEMA ext; CREATE EXTENSION pg_stat_statements SCHEMA ext");
    expect((await migrate(url, directory)).exit).toBe(0);
    await shadowCatalog(url);
  }, 120_000);

  test("a query that looks for names in public would be caught", async () => {
    for (const trapped of [
      "SELECT 1 FROM pg_class WHERE oid = to_regclass('pg_class')",
      "SELECT format('%I', nspname) FROM pg_namespace",
      "SELECT 1.0 * 2::int4",
    ])
      await expect(query(url, trapped)).rejects.toThrow(INTRUSION);
    await query(url, `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET ${PUBLIC_FIRST}`);
    for (const trapped of ["SELECT 1 = 1", "SELECT pg_backend_pid()", "SELECT oid FROM pg_class", "SELECT 1::int4"])
      await expect(query(url, trapped)).rejects.toThrow(INTRUSION);
  });

  test("every verb of the migrator does its work, and none of them is run", async () => {
    const before = log().length;
    const release = {
      "2_b": "CREATE TABLE b (id int PRIMARY KEY);",
      "3_rows":
        "INSERT INTO a (v) VALUES ('x'), ('y'), ('z'); UPDATE a SET v = 'w' WHERE id = 1; ALTER TABLE a ADD CONSTRAINT c CHECK (id > 0) NOT VALID;",
      "4_steps": "CREATE INDEX CONCURRENTLY a_v ON a (v);\nALTER TABLE a ADD COLUMN w text;",
      "5_batch": "-- release: batch size 2\nUPDATE a SET v = 'u' WHERE v IS NOT NULL;",
      "6_type": "CREATE TYPE mood AS ENUM ('sad');\nALTER TYPE mood ADD VALUE 'happy';",
    };
    for (const [name, sql] of Object.entries(release)) writeMigration(directory, name, sql);
    for (const args of [
      ["preflight", "--check", "drift=warn"],
      ["status"],
      ["deploy"],
      ["preflight"],
      ["verify"],
      ["compare"],
    ]) {
      const { exit, output } = await migrate(url, directory, ...args);
      expect({ args, exit, output }).toMatchObject({ exit: args[0] === "status" ? 10 : 0 });
      expect(output).not.toContain('"outcome":"unknown"');
    }
    expect(await query(url, "SELECT v FROM public.a")).toEqual([{ v: "u" }, { v: "u" }, { v: "u" }]);
    writeMigration(directory, "7_fails", "CREATE TABLE c (id int);\nSELECT nothing;");
    writeMigration(directory, "8_steps", "DROP INDEX CONCURRENTLY a_v;\nSELECT nothing;");
    expect((await migrate(url, directory)).exit).toBe(5);
    writeMigration(directory, "7_fails", "CREATE TABLE c (id int);");
    expect((await migrate(url, directory)).output).toContain("8_steps failed");
    expect((await migrate(url, directory, "resolve", "--diagnose", "8_steps")).exit).toBe(0);
    writeMigration(directory, "8_steps", "DROP INDEX CONCURRENTLY a_v;\nCREATE TABLE d (id int);");
    expect((await migrate(url, directory)).output).toContain("going on there");
    expect((await migrate(url, directory, "verify")).exit).toBe(0);
    await query(url, "DROP TABLE public._prisma_migrations; DROP SCHEMA _release CASCADE");
    const baseline = await migrate(url, directory, "baseline", "--through", "8_steps");
    expect(baseline).toMatchObject({ exit: 0 });
    expect((await migrate(url, directory, "preflight")).output).toContain("scratch database");
    expect(log().slice(before)).not.toContain(INTRUSION);
  }, 60_000);
});
