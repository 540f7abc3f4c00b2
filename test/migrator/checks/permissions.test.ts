import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadParser } from "../../../migrations/history/plan";
import { missingRights } from "../../../migrator/checks/missing-rights";
import { OWN_PATH } from "../../../migrator/db/search-path";
import { Plans } from "../../../migrator/plans";
import { asRole, startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, preflightCheck, query, writeMigration } from "../support";

const BASE =
  "CREATE TABLE mine (id int PRIMARY KEY, t text); CREATE TYPE mytype AS ENUM ('a'); CREATE VIEW myview AS SELECT 1 AS a;";

let postgres: TestPostgres;
let admin: string;
let url: string;

/** A role that owns the schema's new objects, and what others own beside it. */
beforeAll(async () => {
  postgres = await startPostgres();
  admin = await postgres.createDatabase();
  const database = new URL(admin).pathname.slice(1);
  await query(
    admin,
    `
    CREATE ROLE mig LOGIN PASSWORD 'mig'; CREATE ROLE other; CREATE ROLE friend; CREATE ROLE reader;
    GRANT friend TO mig; GRANT CREATE ON DATABASE ${database} TO mig; GRANT ALL ON SCHEMA public TO mig; GRANT CREATE ON SCHEMA public TO friend;`,
  );
  url = asRole(admin, "mig", "mig");
  const directory = historyOf({ "1_base": BASE });
  const deployed = await migrate(url, directory);
  expect(deployed.exit, deployed.output).toBe(0);
  await query(
    admin,
    `CREATE SCHEMA closed; CREATE SCHEMA owned AUTHORIZATION mig; CREATE TABLE owned.theirs (id int);
    CREATE TABLE theirs (id int PRIMARY KEY, t text); CREATE INDEX tix ON theirs (t);
    CREATE TABLE granted (id int PRIMARY KEY, t text); GRANT SELECT, REFERENCES, TRIGGER, TRUNCATE, MAINTAIN ON granted TO mig;
    CREATE TABLE writable (id int PRIMARY KEY, t text); GRANT ALL ON writable TO mig;
    CREATE TABLE columnar (id int PRIMARY KEY, t text); GRANT SELECT (id), UPDATE (t) ON columnar TO mig;
    CREATE TABLE friends (id int PRIMARY KEY); ALTER TABLE friends OWNER TO friend;
    CREATE MATERIALIZED VIEW mv AS SELECT 1 AS a;
    CREATE VIEW v AS SELECT 1 AS a; CREATE SEQUENCE sq; CREATE TYPE mood AS ENUM ('a'); CREATE DOMAIN dom AS int;
    CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'`,
  );
});
afterAll(() => postgres.stop());

/** Each is tried by Postgres itself, and rolled back. */
const STATEMENTS = [
  "ALTER SYSTEM SET work_mem = '5MB'",
  "COPY mine FROM '/etc/hostname'",
  "COPY mine FROM PROGRAM 'true'",
  "COPY mine TO '/tmp/never-written'",
  "DROP INDEX tix",
  "CREATE FUNCTION ev() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION ev()",
  "CREATE EXTENSION dblink",
  "CREATE EXTENSION hstore",
  "CREATE EXTENSION IF NOT EXISTS plpgsql",
  "GRANT SELECT ON mine TO nobody_there",
  "GRANT SELECT ON mine TO reader",
  "GRANT SELECT ON mine TO PUBLIC",
  "GRANT SELECT ON theirs TO reader",
  "GRANT SELECT ON granted TO reader",
  "REVOKE SELECT ON theirs FROM reader",
  "ALTER TABLE mine OWNER TO other",
  "ALTER TABLE mine OWNER TO friend",
  "CREATE PUBLICATION p FOR ALL TABLES",
  "CREATE PUBLICATION p FOR TABLE mine",
  "CREATE PUBLICATION p FOR TABLE theirs",
  "CREATE PUBLICATION p FOR TABLES IN SCHEMA owned",
  "SET session_replication_role = replica",
  "SET log_statement = 'none'",
  "SET work_mem = '5MB'",
  "SET LOCAL lock_timeout = '1s'",
  "CREATE ROLE fresh",
  "DROP ROLE reader",
  "GRANT other TO mig",
  "INSERT INTO mine SELECT id FROM theirs",
  "INSERT INTO mine SELECT id FROM granted",
  "INSERT INTO mine VALUES (5) ON CONFLICT (id) DO UPDATE SET t = 'x'",
  "INSERT INTO theirs VALUES (1)",
  "INSERT INTO granted VALUES (1)",
  "UPDATE theirs SET id = id",
  "UPDATE writable SET t = 'x' WHERE id = 1",
  "UPDATE columnar SET t = 'x' WHERE id = 1",
  "UPDATE mine SET t = g.t FROM granted g WHERE g.id = mine.id",
  "DELETE FROM granted WHERE id = 1",
  "DELETE FROM writable WHERE id = 1",
  "WITH x AS (SELECT id FROM theirs) SELECT * FROM x",
  "WITH x AS (SELECT 1 AS id) SELECT * FROM x",
  "SELECT * FROM theirs",
  "SELECT * FROM v",
  "CREATE TABLE copied AS SELECT * FROM theirs",
  "CREATE TABLE copied AS SELECT * FROM granted",
  "CREATE VIEW over AS SELECT * FROM theirs",
  "SET ROLE other; CREATE TABLE zz (id int)",
  "SET ROLE friend; CREATE TABLE zz (id int)",
  "SET ROLE friend; ALTER TABLE mine ADD COLUMN x int",
  "SET ROLE friend; RESET ROLE; ALTER TABLE mine ADD COLUMN x int",
  "SET SESSION AUTHORIZATION other",
  "CREATE FUNCTION cf() RETURNS int LANGUAGE c AS '/x.so', 'cf'",
  "CREATE FUNCTION cf() RETURNS int LANGUAGE internal AS 'int4pl'",
  "CREATE FUNCTION cf() RETURNS int LANGUAGE sql LEAKPROOF AS 'SELECT 1'",
  "CREATE FUNCTION cf() RETURNS int LANGUAGE sql AS 'SELECT 1'",
  "CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 2'",
  "CREATE OR REPLACE FUNCTION f(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT 2'",
  "ALTER FUNCTION f(int) STABLE",
  "DROP FUNCTION f(int)",
  "CREATE OR REPLACE VIEW v AS SELECT 2 AS a",
  "CREATE OR REPLACE VIEW myview AS SELECT 2 AS a",
  "DROP VIEW v",
  "DROP VIEW IF EXISTS not_there",
  "ALTER SEQUENCE sq RESTART",
  "DROP SEQUENCE sq",
  "ALTER TYPE mood ADD VALUE 'b'",
  "ALTER TYPE mytype ADD VALUE 'b'",
  "ALTER TYPE mood RENAME TO moods",
  "DROP TYPE mood",
  "DROP DOMAIN dom",
  "ALTER DOMAIN dom SET NOT NULL",
  "ALTER TABLE mine ADD COLUMN t_id int REFERENCES theirs (id)",
  "ALTER TABLE mine ADD COLUMN t_id int REFERENCES granted (id)",
  "ALTER TABLE mine ADD CONSTRAINT c FOREIGN KEY (id) REFERENCES granted (id)",
  "CREATE TABLE n2 (id int PRIMARY KEY, t_id int REFERENCES granted (id))",
  "CREATE TABLE n2 (id int PRIMARY KEY, t_id int REFERENCES theirs (id))",
  "CREATE TABLE n2 (LIKE theirs)",
  "CREATE TABLE n2 () INHERITS (theirs)",
  "CREATE TRIGGER tt BEFORE UPDATE ON granted FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
  "CREATE TRIGGER tt BEFORE UPDATE ON theirs FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
  "TRUNCATE granted",
  "TRUNCATE theirs",
  "LOCK TABLE granted IN ACCESS EXCLUSIVE MODE",
  "LOCK TABLE theirs IN ACCESS SHARE MODE",
  "REINDEX TABLE granted",
  "REINDEX TABLE theirs",
  "REFRESH MATERIALIZED VIEW mv",
  "CREATE INDEX ON granted (t)",
  "CREATE INDEX ON friends (id)",
  "ALTER TABLE friends ADD COLUMN x int",
  "ALTER TABLE theirs ADD COLUMN x int",
  "ALTER TABLE theirs RENAME TO ours",
  "ALTER TABLE mine RENAME TO ours",
  "ALTER TABLE mine SET SCHEMA closed",
  "ALTER TABLE mine SET SCHEMA owned",
  "COMMENT ON TABLE theirs IS 'x'",
  "COMMENT ON COLUMN mine.t IS 'x'",
  "DROP TABLE owned.theirs",
  "ALTER TABLE owned.theirs ADD COLUMN x int",
  "CREATE TABLE closed.t (id int)",
  "CREATE TABLE owned.t (id int)",
  "CREATE TEMP TABLE tmp (id int)",
  "CREATE TYPE closed.e AS ENUM ('a')",
  "CREATE SCHEMA made",
  "CREATE SCHEMA made AUTHORIZATION other",
  "DROP SCHEMA closed",
  "CREATE POLICY p ON mine TO nobody_there USING (true)",
  "CREATE POLICY p ON theirs USING (true)",
  "CREATE POLICY p ON mine TO reader USING (true)",
  "CREATE RULE r AS ON INSERT TO theirs DO NOTHING",
  "CREATE STATISTICS st ON id, t FROM theirs",
  "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader",
  "ALTER DEFAULT PRIVILEGES FOR ROLE other GRANT SELECT ON TABLES TO reader",
  "REASSIGN OWNED BY other TO mig",
  "CREATE FOREIGN DATA WRAPPER w",
];

/** Of insufficient rights: permission denied, must be owner; or a role that is not there. */
async function refuses(sql: string): Promise<boolean> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    // ALTER SYSTEM is no part of a transaction; this role may not do it anyway.
    if (!sql.startsWith("ALTER SYSTEM")) await client.query("BEGIN");
    await client.query(sql);
    return false;
  } catch (error) {
    return ["42501", "42704"].includes((error as { code?: string }).code ?? "");
  } finally {
    await client.end();
  }
}

test("finds the rights that Postgres would refuse, and no others", { timeout: 60_000 }, async () => {
  await loadParser();
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(OWN_PATH);
  const session = {
    rows: async <Row>(sql: string, values?: unknown[]) => (await client.query(sql, values)).rows as Row[],
  };
  const wrong: string[] = [];
  for (const sql of STATEMENTS) {
    const pending = [{ name: "2_next", sql: `${sql};`, checksum: "" }];
    const missing = await missingRights(new Plans(), session, pending, "mig", "public");
    const refused = await refuses(sql);
    if (missing.length > 0 !== refused)
      wrong.push(`${sql}: Postgres ${refused ? "refuses" : "allows"} it, the check says ${JSON.stringify(missing)}`);
    // Never the membership in a superuser.
    for (const { next } of missing) expect(next).not.toMatch(/GRANT "?postgres"? TO/);
  }
  await client.end();
  expect(wrong).toEqual([]);
});

test("names the statement, what it needs and who can give that, before anything is touched", async () => {
  const folder = historyOf({ "1_base": BASE });
  writeMigration(folder, "2_next", "ALTER TABLE mine ADD COLUMN x int;\nALTER TABLE theirs ADD COLUMN x int;");
  const { exit, outcome, output } = await preflightCheck(url, folder, "permissions");
  expect({ exit, outcome }, output).toEqual({ exit: 4, outcome: "fail" });
  expect(output).toContain("2_next, line 2: needs ownership of public.theirs");
  expect(output).toContain("have its owner run: ALTER TABLE public.theirs OWNER TO mig");
});
