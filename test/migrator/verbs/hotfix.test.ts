import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checksumOf } from "../../../migrations/history/history";
import { startPostgres, type TestPostgres } from "../../support/postgres";
import { historyOf, migrate, preflightCheck, query, scratch, startMigrator, until } from "../support";

const INIT = {
  "1_init": "CREATE TABLE people (id int PRIMARY KEY, email text); INSERT INTO people VALUES (1, 'a@x'), (2, 'a@x');",
};

let postgres: TestPostgres;
let url: string;
let directory: string;
beforeAll(async () => {
  postgres = await startPostgres();
  url = await postgres.createDatabase();
  directory = historyOf(INIT);
  expect((await migrate(url, directory)).exit).toBe(0);
});
afterAll(() => postgres.stop());

function file(name: string, sql: string): string {
  const path = join(scratch, name);
  writeFileSync(path, sql);
  return path;
}

const run = (name: string, path: string, ...options: string[]) =>
  migrate(url, directory, "sql", path, "--hotfix", name, ...options);

interface Row {
  id: string;
  name: string;
  checksum: string;
  finished: boolean;
  steps: number;
}
const rowsOf = (name: string) =>
  query<Row>(
    url,
    `SELECT id, migration_name AS name, checksum, finished_at IS NOT NULL AS finished, applied_steps_count AS steps
     FROM _prisma_migrations WHERE migration_name LIKE '%\\_' || $1`,
    [name],
  );
const folders = (name: string) => readdirSync(directory).filter((each) => each.endsWith(`_${name}`));
const textOf = (folder: string) => readFileSync(join(directory, folder, "migration.sql"), "utf8");

test("a wrong name is refused together with the other mistakes, and what no migration may contain with all reasons", async () => {
  const wrong = await run("Add-Index", file("x.sql", "SELECT 1;"), "--lock-timeout", "soon");
  expect(wrong.exit, wrong.output).toBe(2);
  expect(wrong.output).toMatch(/--hotfix is "Add-Index", and must be 1 to 100 of a-z, 0-9 and _[\s\S]*--lock-timeout/);
  const sql =
    "CREATE ROLE hotfix PASSWORD 'correct horse';\nDROP TABLE _prisma_migrations;\nCOMMIT;\n-- release: contract\n";
  const refused = await run("rights", file("rights.sql", sql));
  expect(refused.exit, refused.output).toBe(4);
  for (const reason of ["the password of a role", "drops _prisma_migrations", "COMMIT in line 4", "release: contract"])
    expect(refused.output).toContain(reason);
  expect(refused.output).not.toContain("correct horse");
  expect((await run("empty", file("empty.sql", "-- nothing\n"))).output).toContain("empty.sql has no statement.");
  const rows = await run("rows", file("rows.sql", "UPDATE people SET email = 'c@x';\n"));
  expect(rows.output).toContain("It only changes rows, which is no drift: run it without --hotfix.");
  expect(folders("rights")).toEqual([]);
});

test("a hotfix is in the history and the folder at once, drift never arises, and the same command only writes", async () => {
  const path = file(
    "phone.sql",
    "ALTER TABLE people ADD COLUMN phone text;\nUPDATE people SET phone = 'secret-value';\n",
  );
  const first = await run("add_phone", path);
  expect(first.exit, first.output).toBe(0);
  expect(first.output).not.toContain("secret-value");
  const [folder, ...more] = folders("add_phone");
  expect(more).toEqual([]);
  expect(folder).toMatch(/^2\d{13}_add_phone$/);
  expect(textOf(folder!)).toBe(`-- release: hotfix\n${readFileSync(path, "utf8")}`);
  const rows = await rowsOf("add_phone");
  expect(rows).toMatchObject([{ name: folder, checksum: checksumOf(textOf(folder!)), finished: true, steps: 1 }]);
  expect(first.output).toContain(`${folder} is applied. It is recorded in _prisma_migrations.\n`);
  expect(first.output).toContain(`Next: git add ${join(directory, folder!)}`);
  const drift = await preflightCheck(url, directory, "drift");
  expect(drift.outcome, drift.output).toBe("ok");
  expect(drift.text).toContain("as what the last release recorded");

  // A run that was killed before it wrote the folder leaves the same state.
  rmSync(join(directory, folder!), { recursive: true });
  const again = await run("add_phone", path);
  expect(again.exit, again.output).toBe(0);
  expect(again.output).toContain("was applied by an earlier run; nothing of it ran again");
  expect(textOf(folder!)).toContain("ADD COLUMN phone");
  expect(await rowsOf("add_phone")).toEqual(rows);

  const edited = await run("add_phone", file("phone.sql", "ALTER TABLE people ADD COLUMN phone int;\n"));
  expect(edited.exit, edited.output).toBe(4);
  expect(edited.output).toContain(`The name add_phone belongs to ${folder}, whose text is another one`);
});

test("a release from a checkout without the hotfix is told where it is, and gets the folder without running it", async () => {
  const [folder] = folders("add_phone");
  const path = file("phone.sql", textOf(folder!).split("\n").slice(1).join("\n"));
  const others = historyOf(INIT);
  const names = "SELECT migration_name AS name FROM _prisma_migrations ORDER BY started_at";
  const told = new RegExp(
    `${folder}: a hotfix, run by hand at 2[\\s\\S]*sql --hotfix add_phone phone.sql [\\s\\S]*merge the pull request of the hotfix`,
  );
  for (const verb of ["deploy", "preflight"]) {
    const { exit, output } = await migrate(url, others, verb);
    expect(exit, output).toBe(4);
    expect(output).toMatch(told);
    expect(output).not.toContain("changed it by hand");
  }
  const written = await migrate(url, others, "sql", path, "--hotfix", "add_phone");
  expect(written.exit, written.output).toBe(0);
  expect(readFileSync(join(others, folder!, "migration.sql"), "utf8")).toBe(textOf(folder!));
  expect((await migrate(url, others)).output).toContain("Nothing to do");

  // Where nobody has the file any more, the hotfix becomes drift again, which adopt writes as a migration.
  const lost = await postgres.createDatabase();
  await migrate(lost, historyOf(INIT));
  const run = await migrate(lost, historyOf(INIT), "sql", path, "--hotfix", "add_phone");
  const name = /^(\d+_add_phone) is applied/m.exec(run.output)![1]!;
  const diagnosed = await migrate(lost, historyOf(INIT), "resolve", "--diagnose", name);
  expect(diagnosed.output).toMatch(/if nobody has its file: .*resolve --rolled-back .* adopt --name add_phone/);
  const forgotten = historyOf(INIT);
  expect((await migrate(lost, forgotten, "resolve", "--rolled-back", name)).exit).toBe(0);
  expect((await migrate(lost, forgotten, "adopt", "--name", "add_phone")).exit).toBe(0);
  const released = await migrate(lost, forgotten);
  expect(released.exit, released.output).toBe(0);
  expect(released.output).toMatch(/\d+_add_phone/);

  // Another database gets the same migration, which the folder has by then.
  const staging = await postgres.createDatabase();
  await migrate(staging, historyOf(INIT));
  expect((await migrate(staging, others, "sql", path, "--hotfix", "add_phone")).exit).toBe(0);
  expect(await query(staging, names)).toEqual([{ name: "1_init" }, { name: folder }]);
});

test("an index whose build is killed, and then fails, is finished by the same command as one migration", async () => {
  const sql = "CREATE UNIQUE INDEX CONCURRENTLY people_email ON people (email);\n";
  const path = file("index.sql", sql);
  const holder = new Client({ connectionString: url });
  await holder.connect();
  try {
    // The build waits for the transaction that has written to the table.
    await holder.query("BEGIN; UPDATE people SET email = 'b@x'");
    const killed = startMigrator(["sql", path, "--hotfix", "email_index", "--migrations", directory], {
      DATABASE_URL: url,
    });
    const build = "FROM pg_stat_activity WHERE query LIKE 'CREATE UNIQUE INDEX CONC%'";
    await until(async () => (await query(url, `SELECT ${build}`)).length > 0, "the index is being built");
    killed.child.kill("SIGKILL");
    await killed.ended;
    await query(url, `SELECT pg_terminate_backend(pid) ${build}`);
    await holder.query("COMMIT");
  } finally {
    await holder.end();
  }
  const [{ id, name }] = (await rowsOf("email_index")) as [Row];
  const failed = await run("email_index", path);
  expect(failed.exit, failed.output).toBe(5);
  expect(failed.output).toContain("index people_email is invalid, left by a build that failed");
  expect(failed.output).toMatch(/The file index\.sql failed[\s\S]*Next: correct index\.sql from line 2 on/);
  expect(folders("email_index")).toEqual([]);
  for (const words of [["resolve", "--diagnose", name], ["preflight"]]) {
    const { output } = await migrate(url, directory, ...words);
    expect(output).toContain(
      `Next: npm run migrator -- sql --hotfix email_index index.sql --migrations ${directory} (`,
    );
  }

  await query(url, "DELETE FROM people WHERE id = 2");
  const { exit, output } = await run("email_index", path);
  expect(exit, output).toBe(0);
  expect(folders("email_index")).toEqual([name]);
  expect(await rowsOf("email_index")).toMatchObject([
    { id, name, finished: true, checksum: checksumOf(`-- release: hotfix\n${sql}`) },
  ]);
  expect(
    await query(url, "SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = 'people_email'::regclass"),
  ).toEqual([{ valid: true }]);
  expect(await query(url, "SELECT FROM _release.step")).toEqual([]);
});

test("the review's gate, drift that was there before, and a database that another migration has left unfinished", async () => {
  await query(url, "ALTER TABLE people ADD COLUMN by_hand int");
  const path = file("drop.sql", "ALTER TABLE people DROP COLUMN phone;\n");
  const refused = await run("drop_phone", path, "--refuse", "destructive");
  expect(refused.exit, refused.output).toBe(4);
  const acknowledgement = /--acknowledge '(\{.*?\})'/.exec(refused.output)![1]!.replace("…", "nobody calls");
  const passed = await run("drop_phone", path, "--refuse", "destructive", "--acknowledge", acknowledgement);
  expect(passed.exit, passed.output).toBe(0);
  const audit = "SELECT data FROM _release.audit WHERE event = 'hotfix.started' ORDER BY id DESC LIMIT 1";
  expect(await query(url, audit)).toMatchObject([
    { data: { file: "drop.sql", acknowledged: ["drop-column people.phone: nobody calls"] } },
  ]);
  const drift = await preflightCheck(url, directory, "drift");
  expect(drift.outcome, drift.output).toBe("fail");
  expect(drift.text).toContain("people.by_hand");
  expect(drift.text).not.toContain("people.phone");

  await query(url, "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', 'x', '2_half')");
  const stuck = await run("other", file("other.sql", "SELECT 1;"));
  expect(stuck.exit, stuck.output).toBe(4);
  expect(stuck.output).toContain("FAILED (failed-migration): 2_half");
  expect(existsSync(join(directory, folders("drop_phone")[0]!, "migration.sql"))).toBe(true);
});
