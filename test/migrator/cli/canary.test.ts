import { afterAll, beforeAll, expect, test } from "vitest";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, query, writeMigration } from "../support";

/** Stands in rows, constants, comments, notices and passwords; nothing that the migrator says or keeps may hold it. */
const CANARY = "canary-7f3e@x.example";
let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres({ settings: { shared_preload_libraries: "pg_stat_statements" } });
});
afterAll(() => postgres.stop());

const BASE = `CREATE TABLE people (id int PRIMARY KEY, email text, note varchar(60), n int);
INSERT INTO people VALUES (1, '${CANARY}', $$${CANARY}$$, 1), (2, '${CANARY}', E'${CANARY}', NULL); -- ${CANARY}
CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no %', NEW.email USING DETAIL = NEW.email; END $$;
CREATE TRIGGER guard BEFORE DELETE OR INSERT ON people FOR EACH ROW WHEN (pg_trigger_depth() < 1) EXECUTE FUNCTION guard();`;

const FAILING = [
  "CREATE UNIQUE INDEX i ON people (email);",
  "CREATE UNIQUE INDEX CONCURRENTLY i ON people (email);",
  "ALTER TABLE people ALTER email TYPE int USING email::int;",
  `ALTER TABLE people ADD CHECK (email <> '${CANARY}');`,
  "ALTER TABLE people ALTER n SET NOT NULL;",
  `INSERT INTO people VALUES (3, '${CANARY}');`,
  `-- release: batch size 1\nUPDATE people SET note = email || email || '${CANARY}' || repeat('x', 60) WHERE email = '${CANARY}';`,
  `DO $$ BEGIN RAISE NOTICE '${CANARY}'; EXECUTE 'SELECT ' || (SELECT email FROM people LIMIT 1); END $$;`,
  `CREATE ROLE canary_role PASSWORD $pw$${CANARY}$pw$; ALTER ROLE canary_role PASSWORD U&'${CANARY}' NOSUCHOPTION;`,
  `SELECT 1;\nSELECT 'never closed ${CANARY}`,
  `COPY people FROM stdin;\n3\t${CANARY}\n\\.\n`,
  `BEGIN; UPDATE people SET n = 5 WHERE note = '${CANARY}'; SELECT email::date FROM people; COMMIT;`,
];

test("no row, constant or password is in anything that the migrator says or keeps, in whatever way it fails", async () => {
  const url = await postgres.createDatabase();
  await query(url, "CREATE EXTENSION pg_stat_statements");
  const said: string[] = [];
  const run = async (directory: string, ...args: string[]) => {
    const { exit, output } = await migrate(url, directory, ...args);
    said.push(output);
    return exit;
  };
  const base = historyOf({ "1_base": BASE });
  expect(await run(base)).toBe(0);
  for (const [index, sql] of FAILING.entries()) {
    const directory = historyOf({ "1_base": BASE });
    writeMigration(directory, "2_next", sql);
    const format = index % 2 === 0 ? [] : ["--json"];
    if (index % 4 === 1) expect(await run(directory, "preflight", ...format), sql).not.toBe(70);
    expect(await run(directory, "deploy", ...format), `${sql}\n${said.at(-1)}`).not.toBe(0);
    expect(said.at(-1), sql).toContain("FAILED (");
    if (index % 4 === 2) await run(directory, "resolve", "--diagnose", "2_next");
    // What a failed migration in steps leaves behind is taken back, so that the next one begins anew.
    await query(
      url,
      "DELETE FROM _prisma_migrations WHERE migration_name = '2_next'; DELETE FROM _release.step; DROP INDEX IF EXISTS i",
    );
  }
  for (const verb of ["status", "verify", "compare"]) await run(base, verb);
  await query(
    url,
    "UPDATE _prisma_migrations SET finished_at = NULL, logs = 'Database error code: 23505\n\nERROR: x\nDETAIL: Key (email)=(' || $1 || ').'",
    [CANARY],
  ).catch(() => undefined);
  await run(base);

  expect(said.join("").length).toBeGreaterThan(10_000);
  for (const output of said) expect(output).not.toMatch(/canary-7f3e/i);
  const kept = await query(
    url,
    "SELECT a::text FROM _release.audit a UNION ALL SELECT f::text FROM _release.record f UNION ALL SELECT s::text FROM _release.step s",
  );
  expect(kept.length).toBeGreaterThan(FAILING.length);
  expect(JSON.stringify(kept)).not.toMatch(/canary-7f3e/i);
});
