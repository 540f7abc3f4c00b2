import { join } from "node:path";
import { Client } from "pg";
import { describe, expect, test } from "vitest";
import { PRISMA } from "../../support/prisma";
import { postgresAndPrisma } from "../../support/prisma-server";
import { bundlePath, historyOf, migrate, query, startMigrator, until, writeMigration } from "../support";

const postgres = postgresAndPrisma();

const DEPLOY = [process.execPath, join(PRISMA, "migrate.mjs")];

function run(url: string, directory: string, options: string[] = [], command = DEPLOY) {
  return startMigrator(["run", "--migrations", directory, ...options, "--", ...command], {
    DATABASE_URL: url,
    MIGRATIONS: directory,
    RELEASE_ID: "3f2a9c41b07e",
  });
}

const HISTORY = {
  "1_init": 'CREATE TABLE "User" ("id" SERIAL PRIMARY KEY, "email" TEXT NOT NULL);\n',
  "2_rows": `INSERT INTO "User" ("email") SELECT 'user' || n FROM generate_series(1, 100) n;\n`,
};
const names = (url: string) =>
  query<{ name: string }>(
    url,
    "SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY started_at",
  ).then((rows) => rows.map(({ name }) => name));

describe("the Prisma CLI as the release's command", () => {
  test("migrates, is verified, and leaves facts and a report as a deploy does", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf(HISTORY);
    const { exit, output } = await run(url, directory).ended;
    expect(output).toContain("2 of 2 migrations are pending");
    expect(output).toMatch(/ {2}\| .*All migrations have been successfully applied/);
    expect(output).toContain("Verified: the database is what the migrations promise.");
    expect(exit, output).toBe(0);
    const report = JSON.parse(/^REPORT (.*)$/m.exec(output)![1]!);
    expect(report).toMatchObject({ stage: "after", release: "3f2a9c41b07e", tables: { User: { rows: 100 } } });
    expect(await query(url, "SELECT kind FROM _release.record ORDER BY kind")).toEqual([
      { kind: "catalog" },
      { kind: "counters" },
      { kind: "counters" },
      { kind: "objects" },
      { kind: "report" },
      { kind: "sequences" },
      { kind: "statistics" },
    ]);
    // The next preflight compares with them, the other runner goes on behind them.
    expect((await migrate(url, directory, "preflight")).exit).toBe(0);
    writeMigration(directory, "3_more", 'ALTER TABLE "User" ADD COLUMN "name" TEXT;');
    expect((await migrate(url, directory)).exit).toBe(0);
    const again = await run(url, directory).ended;
    expect(again, again.output).toMatchObject({ exit: 0, output: expect.stringContaining("nothing was pending") });
  });

  test("that fails in a migration is explained: what of it is applied, and the one next command", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({
      ...HISTORY,
      "3_half": 'ALTER TABLE "User" ADD COLUMN "half" TEXT;\nALTER TABLE "User" ADD COLUMN "half" TEXT;\n',
    });
    const first = await run(url, directory).ended;
    expect(first.exit, first.output).toBe(5);
    expect(first.output).toContain(`FAILED (left-unfinished): The command`);
    expect(first.output).toContain('column "half" of relation "User" already exists');
    expect(first.output).toMatch(/Next: .*npm run migrator -- resolve --(applied|rolled-back) 3_half --migrations \//);
    expect(await names(url)).toEqual(["1_init", "2_rows"]);

    // The next release does not run the command again: it would say no more than P3009.
    const second = await run(url, directory, [], [process.execPath, "-e", "throw new Error('it ran')"]).ended;
    expect(second).toMatchObject({
      exit: 5,
      output: expect.stringContaining("FAILED (left-unfinished): An earlier run left migration 3_half unfinished"),
    });

    // What the message says, step by step.
    await query(url, 'ALTER TABLE "User" DROP COLUMN IF EXISTS "half"');
    expect((await migrate(url, directory, "resolve", "--rolled-back", "3_half")).exit).toBe(0);
    writeMigration(directory, "3_half", 'ALTER TABLE "User" ADD COLUMN "half" TEXT;\n');
    const repaired = await run(url, directory).ended;
    expect(repaired.exit, repaired.output).toBe(0);
    expect(await names(url)).toEqual(["1_init", "2_rows", "3_half"]);
  });

  test("waits for a lock no longer than lock_timeout allows", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf(HISTORY);
    expect((await run(url, directory).ended).exit).toBe(0);
    writeMigration(directory, "3_name", 'ALTER TABLE "User" ADD COLUMN "name" TEXT;');
    const holder = new Client({ connectionString: url });
    await holder.connect();
    try {
      await holder.query('BEGIN; LOCK TABLE "User" IN ACCESS SHARE MODE');
      const { exit, output } = await run(url, directory, ["--lock-timeout", "1s"]).ended;
      expect(output).toContain("canceling statement due to lock timeout");
      expect(output).toContain("nothing of it is applied");
      expect(output).toContain("Next: npm run migrator -- resolve --rolled-back 3_name");
      expect(exit).toBe(5);
    } finally {
      await holder.end();
    }
    expect((await migrate(url, directory, "resolve", "--rolled-back", "3_name")).exit).toBe(0);
    expect((await run(url, directory).ended).exit).toBe(0);
  });

  test("is stopped by SIGTERM in the middle of a statement, leaves no session at work, and the next run says what is applied", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf({ ...HISTORY, "3_slow": "SELECT pg_sleep(120);\n" });
    const running = run(url, directory);
    const sleeping = () =>
      query(url, "SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'");
    await until(async () => (await sleeping()).length > 0, "the command sleeps", 120_000);
    running.child.kill("SIGTERM");
    const { exit, output } = await running.ended;
    expect(output).toContain("FAILED (stopped): Stopped by SIGTERM: its pod was evicted,");
    expect(exit).toBe(143);
    await until(async () => (await sleeping()).length === 0, "its session ends");
    const next = await run(url, directory).ended;
    expect(next).toMatchObject({ exit: 5, output: expect.stringContaining("left migration 3_slow unfinished") });
  });
});

describe("whatever the command is", () => {
  const node = (script: string) => [process.execPath, "-e", script];

  test("it gets the connection string with the time-outs in every variable, and never prints it", async () => {
    const url = `${await postgres.createDatabase()}?options=-c%20search_path%3Dpublic`;
    const directory = historyOf({ "1_a": "CREATE TABLE a (id int);" });
    const script = `const { DATABASE_URL, DIRECT_URL, SHOP_URL } = process.env;
      console.log("same", DATABASE_URL === DIRECT_URL && DIRECT_URL === SHOP_URL);
      console.log("options", new URL(DATABASE_URL).searchParams.get("options"));
      console.log(DATABASE_URL);`;
    const { output } = await run(url, directory, ["--url-variable", "SHOP_URL", "--lock-timeout", "3s"], node(script))
      .ended;
    expect(output).toContain("same true");
    expect(output).toMatch(/options -c search_path=public -c lock_timeout=3000 -c statement_timeout=900000/);
    expect(output).not.toContain(new URL(url).password);
  });

  test.each([
    ["fails by itself", node("console.error('no such host'); process.exit(3)"), "exit status 3", "no such host"],
    ["is not in the image", ["no-such-program"], "there is no no-such-program in the image", ""],
  ])("that it %s is said with its own words", async (_, command, problem, words) => {
    const url = await postgres.createDatabase();
    const { exit, output } = await run(url, historyOf(HISTORY), [], command).ended;
    expect(exit).toBe(5);
    expect(output).toMatch(/FAILED \(command-failed\)/);
    expect(output).toContain(problem);
    expect(output).toContain(words);
    expect(output).toContain("it applied no migration; no migration is unfinished, 2 are pending.");
  });

  test("it is ended when it takes too long", async () => {
    const url = await postgres.createDatabase();
    const script = node("setInterval(() => {}, 1000)");
    const { exit, output } = await run(url, historyOf(HISTORY), ["--command-timeout", "1s"], script).ended;
    expect(exit).toBe(5);
    expect(output).toContain("it ran longer than 1 s, and was ended");
  });

  test("success that did not migrate is none", async () => {
    const url = await postgres.createDatabase();
    const { exit, output } = await run(url, historyOf(HISTORY), [], node("0")).ended;
    expect(exit, output).toBe(9);
    expect(output).toContain("FAILED (verify)");
  });

  test("an image with migrations that the release has not is found out", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf(HISTORY);
    expect((await migrate(url, directory)).exit).toBe(0);
    const other = historyOf({ ...HISTORY, "3_unseen": "CREATE TABLE unseen (id int);" });
    // The bundled migrator plays the command of an image that was built of other sources.
    const deploy = [process.execPath, bundlePath(), "deploy", "--migrations", other];
    const { exit, output } = await run(url, directory, [], deploy).ended;
    expect(exit, output).toBe(9);
    expect(output).toContain("FAILED (command-went-further): The command applied 3_unseen");
  });

  test("a contract migration is refused before anything is touched, but for a first release", async () => {
    const url = await postgres.createDatabase();
    const directory = historyOf(HISTORY);
    expect((await migrate(url, directory)).exit).toBe(0);
    writeMigration(directory, "3_contract", '-- release: contract\nALTER TABLE "User" DROP COLUMN "email";');
    const { exit, output } = await run(url, directory, ["--hold-contract"]).ended;
    expect(exit).toBe(4);
    expect(output).toContain("FAILED (command-cant-hold): 3_contract waits for the rollout");
    expect(await names(url)).toEqual(["1_init", "2_rows"]);
  });

  test("an old snapshot is refused before it runs", async () => {
    const url = await postgres.createDatabase();
    const old = ["--snapshot", "s-1", "--snapshot-created-at", "2026-01-01T00:00:00Z"];
    const { exit, output } = await run(url, historyOf(HISTORY), old, node("throw new Error('it ran')")).ended;
    expect(exit).toBe(7);
    expect(output).not.toContain("it ran");
  });

  test("there must be one", async () => {
    const { exit, output } = await startMigrator(["run", "--migrations", "x", "--url", "postgres://h/d"], {}).ended;
    expect(exit).toBe(2);
    expect(output).toContain("run needs the command that migrates behind `--`");
  });
});
