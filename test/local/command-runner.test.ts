import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testsBuildOnEachOther } from "../support/lifecycle";
import { installPrisma, PRISMA } from "../support/prisma";
import { Cli, endedSteps, getJson, until } from "./cli";

const APP = resolve(__dirname, "../../examples/app");

/** Releases whose migration is the Prisma CLI's, in the app's image. The tests build on each other, in their order. */
describe.sequential("a release by the app image's own command", { timeout: 300_000 }, () => {
  testsBuildOnEachOther();
  const cli = new Cli(0);
  const query = async (sql: string) => {
    const client = new Client({ connectionString: cli.connection().adminUrl });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  };
  const migrator = async (...words: string[]) => {
    const environment = { ...process.env, DATABASE_URL: cli.connection().adminUrl };
    const argv = ["--import", "tsx", "migrator/cli/main.ts", ...words, "--migrations", cli.migrations];
    return promisify(execFile)(process.execPath, argv, { cwd: resolve(__dirname, "../.."), env: environment });
  };
  const url = async () => String((await cli.outputs())["url"]);

  beforeAll(async () => {
    await installPrisma();
    // The app's image: its server, and beside it what `npx prisma migrate deploy` is where there is no network.
    const image = join(cli.home, "image");
    mkdirSync(image);
    symlinkSync(join(APP, "server.mjs"), join(image, "server.mjs"));
    writeFileSync(
      join(image, "migrate.mjs"),
      `process.env.MIGRATIONS = ${JSON.stringify(cli.migrations)};\nawait import(${JSON.stringify(join(PRISMA, "migrate.mjs"))});\n`,
    );
    mkdirSync(cli.cloudDir(), { recursive: true });
    const notes = { directory: image, command: ["node", "server.mjs"], env: { APP_VERSION: "{tag}" } };
    writeFileSync(join(cli.cloudDir(), "images.json"), JSON.stringify({ notes }));
    cli.set("migrations.runner", "command");
    cli.set("migrations.command", '["node", "migrate.mjs"]');
    cli.addMigration(
      "20260101000000_init",
      `CREATE TABLE "notes" ("id" SERIAL PRIMARY KEY, "title" TEXT NOT NULL, "body" TEXT NOT NULL DEFAULT '', "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP);\n`,
    );
  }, 240_000);
  afterAll(() => cli.end(), 60_000);

  test("migrates, is verified, and rolls out; its sizes and its report are there", async () => {
    const ran = await cli.run("up", "--json");
    expect(ran.status, ran.stderr + ran.stdout).toBe(0);
    expect(await getJson(await url(), "/health")).toMatchObject({
      status: 200,
      body: { version: "1.0.0", schemaVersion: "20260101000000_init" },
    });
    const { sizes, releaseId } = await cli.outputs();
    expect(sizes).toMatchObject({ tables: { notes: { rows: 0 } } });
    const page = readFileSync(join(cli.reports, `local-${releaseId}.md`), "utf8");
    expect(page).toContain("| ✅ | Schema | Every migration is finished: 1 migration<br>");
    expect((await cli.run("logs", "migration")).stdout).toMatch(/\| .*All migrations have been successfully applied/);
  });

  test("that fails leaves the old version serving, and says what of the migration is applied", async () => {
    cli.set("app.image", "notes:1.1.0");
    cli.addMigration(
      "20260102000000_half",
      'ALTER TABLE "notes" ADD COLUMN "half" TEXT;\nALTER TABLE "notes" ADD COLUMN "half" TEXT;\n',
    );
    const ran = await cli.run("up", "--json");
    expect(ran.status).toBe(1);
    const [failed] = endedSteps(ran, "Job").filter(({ status }) => status === "failed");
    expect(failed?.error).toContain("FAILED (left-unfinished)");
    expect(failed?.error).toMatch(
      /Next: .*npm run local -- ops resolve --rolled-back 20260102000000_half --stack local/,
    );
    expect((await getJson(await url(), "/health")).body.version).toBe("1.0.0");
    // The command of the message works here: it reaches the local cluster and its database.
    const asked = await cli.run("ops", "status");
    expect(asked.stdout + asked.stderr).toContain("20260102000000_half");
  });

  test("goes on after the repair, by the same up", async () => {
    // What the message says: nothing or all of it is applied, whichever way this Prisma CLI sends a file.
    await query('ALTER TABLE "notes" DROP COLUMN IF EXISTS "half"');
    await migrator("resolve", "--rolled-back", "20260102000000_half");
    cli.addMigration("20260102000000_half", 'ALTER TABLE "notes" ADD COLUMN "half" TEXT;\n');
    const ran = await cli.run("up", "--json");
    expect(ran.status, ran.stderr + ran.stdout).toBe(0);
    expect((await getJson(await url(), "/health")).body.version).toBe("1.1.0");
  });

  test("killed in the middle: the same up says what is left, and after it the release is finished", async () => {
    cli.set("app.image", "notes:1.2.0");
    cli.addMigration("20260103000000_slow", "SELECT pg_sleep(60);\n");
    const running = cli.start("up", "--json");
    const finished = cli.finish(running);
    const asleep = () =>
      query("SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'");
    await until(async () => (await asleep()).length > 0, "the command sleeps", 120_000);
    running.kill("SIGKILL");
    await finished;
    // The Job goes on in its cluster; somebody ends the statement.
    await query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'");
    const again = await cli.run("up", "--json");
    expect(again.status).toBe(1);
    expect(again.stdout).toContain("FAILED (left-unfinished)");
    expect((await getJson(await url(), "/health")).body.version).toBe("1.1.0");

    await migrator("resolve", "--rolled-back", "20260103000000_slow", "--force");
    cli.addMigration("20260103000000_slow", 'ALTER TABLE "notes" ADD COLUMN "quick" TEXT;\n');
    const repaired = await cli.run("up", "--json");
    expect(repaired.status, repaired.stderr + repaired.stdout).toBe(0);
    expect((await getJson(await url(), "/health")).body.version).toBe("1.2.0");
  });

  test("a contract migration is refused before anything is touched", async () => {
    cli.addMigration("20260104000000_contract", '-- release: contract\nALTER TABLE "notes" DROP COLUMN "quick";\n');
    const ran = await cli.run("up", "--json");
    expect(ran.status).toBe(1);
    expect(ran.stderr + ran.stdout).toContain("migrations.runner to migrator");
    expect(endedSteps(ran)).toEqual([]);
  });
});
