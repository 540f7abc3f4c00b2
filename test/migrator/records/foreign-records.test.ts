import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { asRole, startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, query } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
  await query(
    await postgres.createDatabase(),
    `CREATE ROLE intruder LOGIN PASSWORD 'p'; CREATE ROLE team NOLOGIN; CREATE ROLE migrator LOGIN PASSWORD 'p' IN ROLE team`,
  );
});
afterAll(() => postgres.stop());

const A = { "1_a": "CREATE TABLE a (id int PRIMARY KEY);" };
const HISTORY = `CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
  migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count int NOT NULL DEFAULT 0)`;
/** Fails whoever runs it, which the output would show. */
const SPY = "CREATE FUNCTION spy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'it ran'; END $$";

async function as(role: string, url: string): Promise<string> {
  await query(
    url,
    `GRANT ALL ON SCHEMA public TO ${role}; GRANT CREATE ON DATABASE ${new URL(url).pathname.slice(1)} TO ${role}`,
  );
  return asRole(url, role, "p");
}

describe("nothing is read or written, and the owner is named, where", () => {
  test.each([
    ["the schema of the records belongs to another role", "CREATE SCHEMA _release", /_release belongs to intruder/],
    [
      "a table of the records belongs to another role",
      "CREATE SCHEMA _release; CREATE TABLE _release.audit (event text)",
      /_release\.audit belongs to intruder/,
    ],
    ["the history belongs to another role", HISTORY, /public\._prisma_migrations belongs to intruder/],
    [
      "the history is a view",
      "CREATE VIEW _prisma_migrations AS SELECT 'x'::text AS id",
      /public\._prisma_migrations is a view, and belongs to intruder/,
    ],
  ])("%s", async (_, sql, evidence) => {
    const url = await postgres.createDatabase();
    await query(await as("intruder", url), sql);
    const migrator = await as("migrator", url);
    for (const verb of ["preflight", "deploy"]) {
      const { exit, output } = await migrate(migrator, historyOf(A), verb);
      expect({ exit, output }).toMatchObject({ exit: 4, output: expect.stringMatching(evidence) });
      expect(output).toMatch(
        /FAILED \(foreign-records\)[\s\S]*Database: nothing was changed[\s\S]*Next: .*OWNER TO "migrator"/,
      );
    }
  });

  test.each([
    ["a trigger", `${SPY}; CREATE TRIGGER look BEFORE INSERT ON TARGET EXECUTE FUNCTION spy()`, /has the trigger look/],
    ["a rule", "CREATE RULE look AS ON INSERT TO TARGET DO ALSO SELECT 1", /has the rule look/],
    [
      "a constraint that calls a function",
      "CREATE FUNCTION fine() RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true'; ALTER TABLE TARGET ADD CHECK (fine())",
      /uses function public\.fine\(\)/,
    ],
    [
      "a column of a type that somebody made",
      "CREATE DOMAIN strange AS text; ALTER TABLE TARGET ADD extra strange",
      /uses type public\.strange/,
    ],
  ])("they carry %s", async (_, sql, evidence) => {
    for (const target of ["_prisma_migrations", "_release.record"]) {
      const url = await postgres.createDatabase();
      const directory = historyOf(A);
      const migrator = await as("migrator", url);
      expect((await migrate(migrator, directory)).exit).toBe(0);
      await query(url, sql.replace("TARGET", target));
      expect(await migrate(migrator, directory)).toMatchObject({
        exit: 4,
        output: expect.stringMatching(evidence),
      });
    }
  });

  test("row level security hides rows of the history from the role", async () => {
    const url = await postgres.createDatabase();
    const migrator = await as("migrator", url);
    expect((await migrate(migrator, historyOf(A))).exit).toBe(0);
    await query(url, "ALTER TABLE _prisma_migrations ENABLE ROW LEVEL SECURITY");
    expect(await migrate(migrator, historyOf(A), "status")).toMatchObject({ exit: 0 });
    await query(url, "ALTER TABLE _prisma_migrations FORCE ROW LEVEL SECURITY");
    const { exit, output } = await migrate(migrator, historyOf(A), "status");
    expect({ exit, output }).toMatchObject({ exit: 4, output: expect.stringContaining("hides rows from this role") });
  });
});

test("a history and records that belong to a role that the migration's role is a member of, or to a superuser, are its own", async () => {
  for (const owner of ["team", "postgres"]) {
    const url = await postgres.createDatabase();
    const directory = historyOf(A);
    await query(url, HISTORY);
    const migrator = await as("migrator", url);
    await query(
      url,
      `ALTER TABLE _prisma_migrations OWNER TO ${owner}; GRANT ALL ON _prisma_migrations TO migrator; CREATE SCHEMA _release AUTHORIZATION ${owner}; GRANT ALL ON SCHEMA _release TO migrator`,
    );
    expect(await migrate(migrator, directory)).toMatchObject({ exit: 0 });
    expect(await migrate(migrator, directory, "preflight")).toMatchObject({ exit: 0 });
  }
});
