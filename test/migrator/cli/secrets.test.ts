import { afterAll, beforeAll, expect, test } from "vitest";
import { asRole, startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, query, writeMigration } from "../support";

const CANARY = "canary-pä%ss/w#rd-🐘";
const encoded = encodeURIComponent(CANARY);
let postgres: TestPostgres;
let url: string;
beforeAll(async () => {
  postgres = await startPostgres();
  const admin = await postgres.createDatabase();
  await query(admin, `CREATE ROLE migrator LOGIN PASSWORD '${CANARY}'; GRANT ALL ON SCHEMA public TO migrator`);
  await query(admin, `GRANT ALL ON DATABASE ${new URL(admin).pathname.slice(1)} TO migrator`);
  url = asRole(admin, "migrator", encoded);
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
    "SELECT t::text AS row FROM _release.audit t UNION ALL SELECT t::text FROM _release.record t",
  );
  expectNoSecret(JSON.stringify(audit));
});

test("rows and constants are in no output of a failed migration, unless they are asked for", async () => {
  const row = "canary-row@x.example";
  const admin = await postgres.createDatabase();
  const directory = historyOf({
    "1_a": `CREATE TABLE a (id int, email text); INSERT INTO a VALUES (1, '${row}'), (2, '${row}');`,
  });
  expect((await migrate(admin, directory)).exit).toBe(0);
  writeMigration(
    directory,
    "2_b",
    `DO $$ BEGIN RAISE NOTICE 'seen %', (SELECT email FROM a LIMIT 1); END $$;
UPDATE a SET email = email || 'canary-constant' /* canary-comment */ WHERE id > 4711;
CREATE UNIQUE INDEX i ON a (email);`,
  );
  for (const format of [[], ["--json"]]) {
    const { exit, output } = await migrate(admin, directory, ...format);
    expect(exit).toBe(5);
    expect(output).toContain("DETAIL: Key (email) is duplicated.");
    expect(output).toContain("Values are not shown: the server's log has them");
    expect(output).toContain("The server sent 1 notice, not shown");
    expect(output).not.toMatch(/canary|4711/);
  }
  expect(JSON.stringify(await query(admin, "SELECT data FROM _release.audit"))).not.toContain("canary");
  const { output } = await migrate(admin, directory, "--show-values");
  expect(output).toContain(`DETAIL: Key (email)=(${row}) is duplicated.`);
  expect(output).toContain(`NOTICE: seen ${row}`);
});

test("a name can forge no line of the log, no report and no command for a CI runner", async () => {
  const admin = await postgres.createDatabase();
  const evil = "x\nREPORT {}\n::error::x\n##vso[task.setvariable]y\u001b[2J";
  await query(admin, `CREATE TABLE "${evil}" (id int)`);
  const directory = historyOf({ "1_a": "CREATE TABLE a (id int);" });
  const { exit, output } = await migrate(admin, directory);
  expect(exit).toBe(4);
  expect(output).toContain("x\\nREPORT {}\\n::error::x\\n## vso[task.setvariable]y\\u{1b}[2J");
  expect(output).not.toMatch(/^(REPORT \{\}|::)|##vso/m);
  expect(output).not.toContain("\u001b");
});

test("passwords that a migration sets are not shown with its error", async () => {
  const directory = historyOf({ "1_a": "CREATE ROLE app LOGIN PASSWORD 'other-secret' NOSUCHOPTION;" });
  const { exit, output } = await migrate(postgres.url, directory);
  expect(exit).toBe(5);
  expect(output).not.toContain("other-secret");
});
