import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PREFLIGHT_CHECKS } from "../../../migrator/checks/preflight";
import { VERIFY_CHECKS } from "../../../migrator/checks/verify";
import { checkNames } from "../../../settings/checks";
import { asRole, startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, query, reportedChecks, writeMigration } from "../support";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres({ settings: { shared_preload_libraries: "pg_stat_statements" } });
});
afterAll(() => postgres.stop());

async function look(url: string, directory: string, verb: string, ...args: string[]) {
  const { exit, output } = await migrate(url, directory, verb, ...args);
  const results = reportedChecks(output);
  const of = (name: string) => {
    const found = results.find((each) => each.name === name);
    return { outcome: found?.outcome, facts: found?.facts, text: JSON.stringify(found) };
  };
  return { exit, output, of };
}

/** A role that owns nothing. */
async function plain(url: string, rights: string): Promise<string> {
  await query(
    url,
    "DO $$ BEGIN CREATE ROLE plain LOGIN PASSWORD 'plain-password'; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
  );
  await query(url, `REVOKE CREATE ON SCHEMA public FROM PUBLIC; ${rights.replaceAll("DB", dbName(url))}`);
  return asRole(url, "plain", "plain-password");
}
const dbName = (url: string) => new URL(url).pathname.slice(1);

const A = { "1_a": "CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO a VALUES (1, 'x');" };

describe("preflight finds", () => {
  test("a superuser, with nothing said of a role that is none", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf(A);
    const found = await look(url, directory, "preflight");
    expect(found.of("superuser")).toMatchObject({ outcome: "warn", text: expect.stringContaining("is a superuser") });
    expect((await look(url, directory, "preflight", "--check", "superuser=fail")).exit).toBe(4);
    const role = await plain(url, "GRANT ALL ON SCHEMA public TO plain; GRANT CREATE ON DATABASE DB TO plain");
    expect((await look(role, directory, "preflight")).of("superuser").outcome).toBe("ok");
  });

  test.each([
    [
      "that the role may not make tables",
      "GRANT USAGE ON SCHEMA public TO plain",
      "",
      "may not make tables in the schema",
    ],
    [
      "that the schema is missing and can't be made",
      "SELECT 1",
      "?schema=nowhere",
      "doesn't exist, and the role plain may not make it",
    ],
  ])("%s", async (_name, rights, parameters, expected) => {
    const url = await postgres.createDatabase();
    const role = await plain(url, rights);
    const found = await look(`${role}${parameters}`, historyOf(A), "preflight");
    expect(found.exit).toBe(4);
    expect(found.of("permissions")).toMatchObject({ outcome: "fail", text: expect.stringContaining(expected) });
  });

  test("that the role may not write the history", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf(A);
    await migrate(url, directory);
    writeMigration(directory, "2_b", "CREATE TABLE b (id int);");
    const role = await plain(url, "GRANT ALL ON SCHEMA public TO plain; GRANT SELECT ON _prisma_migrations TO plain");
    const found = await look(role, directory, "preflight", "--check", "drift=off");
    expect(found.exit).toBe(4);
    expect(found.of("permissions").text).toContain("may not write");
  });
});

describe("verification finds", () => {
  const applied = async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf(A);
    expect((await migrate(url, directory)).exit).toBe(0);
    return { url, directory };
  };

  test("an invalid index, whoever left it", async () => {
    const { url, directory } = await applied();
    await query(url, "INSERT INTO a VALUES (2, 'x')");
    await query(url, "CREATE UNIQUE INDEX CONCURRENTLY a_v ON a (v)").catch(() => undefined);
    const found = await look(url, directory, "verify");
    expect(found.exit).toBe(9);
    expect(found.of("valid-indexes")).toMatchObject({ outcome: "fail", text: expect.stringContaining("public.a_v") });
    await query(url, "DROP INDEX a_v");
    expect((await look(url, directory, "verify")).of("valid-indexes").outcome).toBe("ok");
  });

  test("a migration that is pending, unfinished or edited", async () => {
    const { url, directory } = await applied();
    writeMigration(directory, "2_b", "CREATE TABLE b (id int);");
    await query(url, "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', 'y', '3_c')");
    await query(url, "UPDATE _prisma_migrations SET checksum = 'other' WHERE migration_name = '1_a'");
    const found = await look(url, directory, "verify");
    expect(found.exit).toBe(9);
    expect(found.of("finished").outcome).toBe("fail");
    for (const part of ["2_b: pending", "3_c: unfinished", "1_a: edited"])
      expect(found.of("finished").text).toContain(part);
  });

  test("a table that could not be analyzed", async () => {
    const { url, directory } = await applied();
    await query(url, "CREATE TABLE foreign_rows (id int); INSERT INTO foreign_rows VALUES (1)");
    const rights =
      "GRANT ALL ON SCHEMA public TO plain; GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO plain; GRANT CREATE ON DATABASE DB TO plain; GRANT USAGE ON SCHEMA _release TO plain; GRANT ALL ON ALL TABLES IN SCHEMA _release TO plain";
    const role = await plain(url, rights);
    writeMigration(directory, "2_b", "INSERT INTO foreign_rows VALUES (2);");
    const found = await look(role, directory, "deploy");
    expect({ exit: found.exit, output: found.output }).toMatchObject({ exit: 0 });
    expect(found.of("analyzed")).toMatchObject({ outcome: "warn", text: expect.stringContaining("foreign_rows") });
  });

  test("the slowest statements, where pg_stat_statements is there", async () => {
    const { url, directory } = await applied();
    expect((await look(url, directory, "verify")).of("slowest").facts).toContain("is not installed");
    await query(url, "CREATE EXTENSION pg_stat_statements; SELECT pg_stat_statements_reset()");
    await query(url, "SELECT pg_sleep(0.2) AS the_slow_one");
    expect((await look(url, directory, "verify")).of("slowest").facts).toContain("the_slow_one");
  });
});

test("a right that is missing for the history is named, with what to do", async () => {
  const url = await postgres.createDatabase();
  const directory = historyOf(A);
  await migrate(url, directory);
  const role = await plain(url, "GRANT ALL ON SCHEMA public TO plain");
  const { exit, output } = await migrate(role, directory, "status");
  expect(exit).toBe(5);
  expect(output).toMatch(
    /FAILED \(bookkeeping-refused\): .*permission denied for table _prisma_migrations[\s\S]*Database: [\s\S]*App: [\s\S]*Next: grant/,
  );
});

test("records that may be written only in part are not kept at all, and that is said", async () => {
  const url = await postgres.createDatabase();
  const directory = historyOf(A);
  await migrate(url, directory);
  await query(url, "DELETE FROM _release.record");
  const rights = [
    "GRANT ALL ON SCHEMA public TO plain; GRANT ALL ON ALL TABLES IN SCHEMA public TO plain",
    "GRANT USAGE ON SCHEMA _release TO plain; GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA _release TO plain",
  ];
  const role = await plain(url, rights.join("; "));
  writeMigration(directory, "2_b", "CREATE TABLE b (id int);");
  const { exit, output } = await migrate(role, directory);
  expect({ exit, output }).toMatchObject({ exit: 0, output: expect.stringContaining("no audit trail and no facts") });
  expect(await query(url, "SELECT * FROM _release.record")).toEqual([]);
});

test("every check of the catalogue is run, in its order", () => {
  expect([...PREFLIGHT_CHECKS, ...VERIFY_CHECKS].map(({ name }) => name)).toEqual(checkNames);
});
