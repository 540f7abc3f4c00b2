import { afterAll, beforeAll, expect, test } from "vitest";
import { startPostgres, type TestPostgres } from "../support/postgres";
import { historyOf, migrate, query, writeMigration } from "./support";

const CANARY = "canary-pä%ss/w#rd-🐘";
const encoded = encodeURIComponent(CANARY);
let postgres: TestPostgres;
let url: string;
beforeAll(async () => {
  postgres = await startPostgres();
  const admin = await postgres.createDatabase();
  await query(admin, `CREATE ROLE migrator LOGIN PASSWORD '${CANARY}'; GRANT ALL ON SCHEMA public TO migrator`);
  await query(admin, `GRANT ALL ON DATABASE ${new URL(admin).pathname.slice(1)} TO migrator`);
  url = admin.replace("postgres:test-password", `migrator:${encoded}`);
});
afterAll(() => postgres.stop());

const forms = [CANARY, encoded, encoded.toLowerCase(), JSON.stringify(CANARY).slice(1, -1)];
const expectNoSecret = (output: string) => {
  for (const form of forms) expect(output).not.toContain(form);
};

test("a password is in no output, whatever goes wrong", async () => {
  const directory = historyOf({ "1_a": "CREATE TABLE a (id int);" });
  const outputs = [
    await migrate(url, directory),
    await migrate(url, directory, "preflight", "--json"),
    await migrate(url.replace("migrator:", "nobody:"), directory),
    await migrate(url.replace(/:\d+\//, ":1/"), directory, "--connect-wait", "100ms"),
    await migrate(url.replace(/\/[^/]*$/, "/nowhere"), directory),
    await migrate(url.replace("postgres://", "mysql://"), directory),
    await migrate(`${url}?connect_timeout=${encoded}`, directory),
    await migrate("", directory, "--url", url, "--lock-timeout", "soon"),
    await migrate("", directory, "--url"),
    await migrate("", directory, `--json=${url}`),
  ];
  writeMigration(directory, "2_b", `SELECT '${CANARY}'::int;`);
  outputs.push(await migrate(url, directory), await migrate(url, directory, "--json"));
  for (const { output } of outputs) expectNoSecret(output);
  expect(outputs.map(({ exit }) => exit)).toEqual([0, 0, 3, 3, 3, 2, 2, 2, 2, 2, 5, 5]);
  // Neither does the audit trail in the database hold it.
  const audit = await query(
    url,
    "SELECT t::text AS row FROM _release.audit t UNION ALL SELECT t::text FROM _release.fact t",
  );
  expectNoSecret(JSON.stringify(audit));
});

test("passwords that a migration sets are not shown with its error", async () => {
  const directory = historyOf({ "1_a": "CREATE ROLE app LOGIN PASSWORD 'other-secret' NOSUCHOPTION;" });
  const { exit, output } = await migrate(postgres.url, directory);
  expect(exit).toBe(5);
  expect(output).not.toContain("other-secret");
});
