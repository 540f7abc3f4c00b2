import { spawn } from "node:child_process";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bundleSchemaGate } from "../../../migrator/cli/bundle";
import { startServer, type TestServer } from "../../support/server";
import { type Ended, historyOf, migrate, query, scratch, startMigrator, until, writeMigration } from "../support";

let server: TestServer;
const program = join(scratch, "schema-gate.cjs");
beforeAll(async () => {
  writeFileSync(program, bundleSchemaGate());
  server = await startServer();
}, 120_000);
afterAll(() => server?.stop());

let url: string;
let appUrl: string;
beforeEach(async () => {
  url = await server.createDatabase();
  const role = `reader_${new URL(url).pathname.slice(1)}`;
  await query(url, `CREATE ROLE ${role} LOGIN PASSWORD 'app-password'`);
  const reader = new URL(url);
  reader.username = role;
  reader.password = "app-password";
  appUrl = reader.href;
});

/** Starts the program of the gate as the init container does; the role of the app reads. */
function startGate(migrations: string[], timeout = "20s", target = appUrl) {
  const args = [...migrations.flatMap((each) => ["--for", each]), "--wait-timeout", timeout];
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env["PATH"], DATABASE_URL: target },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (text) => {
      output += text;
    });
  const ended = new Promise<Ended>((resolve) => child.on("close", (exit) => resolve({ exit, output })));
  return { child, output: () => output, ended };
}

const grant = () => query(url, `GRANT SELECT ON _prisma_migrations TO ${new URL(appUrl).username}`);
const HISTORY = { "1_a": "CREATE TABLE a ();", "2_b": "CREATE TABLE b ();" };

describe("the schema gate", () => {
  test("ends at once where the migrations are applied, also in a database that is further ahead", async () => {
    expect((await migrate(url, historyOf({ ...HISTORY, "3_c": "CREATE TABLE c ();" }))).exit).toBe(0);
    await grant();
    const began = Date.now();
    const { exit, output } = await startGate(["1_a", "2_b"]).ended;
    expect({ exit, output }).toMatchObject({ exit: 0, output: expect.stringMatching(/^The database .* has 2_b\.\n$/) });
    expect(Date.now() - began).toBeLessThan(15_000);
  });

  test("waits for a database without a history until it is migrated, and changes nothing itself", async () => {
    const gate = startGate(["1_a", "2_b"], "2m");
    await until(() => gate.output().includes("Waiting"), "the gate waits");
    expect(await query(url, "SELECT FROM pg_tables WHERE schemaname = 'public'")).toEqual([]);
    await query(url, `ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO ${new URL(appUrl).username}`);
    expect((await migrate(url, historyOf(HISTORY))).exit).toBe(0);
    expect((await gate.ended).exit).toBe(0);
    expect(gate.output()).toContain("Waiting up to 2 min for 2 migrations: 1_a, 2_b");
  }, 60_000);

  test("takes no lock and waits for none, while another migrator works", async () => {
    const directory = historyOf(HISTORY);
    expect((await migrate(url, directory)).exit).toBe(0);
    await grant();
    writeMigration(directory, "3_slow", "CREATE TABLE slow (); SELECT pg_sleep(30);");
    const running = startMigrator(["deploy", "--migrations", directory], { DATABASE_URL: url });
    await until(
      async () =>
        (await query(url, "SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND pid <> pg_backend_pid()"))
          .length > 0,
      "the migration runs",
    );
    expect((await startGate(["2_b"]).ended).exit).toBe(0);
    running.child.kill("SIGTERM");
    await running.ended;
  }, 60_000);

  test("ends with what is missing and the next command when its time is over", async () => {
    expect((await migrate(url, historyOf({ "1_a": HISTORY["1_a"] }))).exit).toBe(0);
    await grant();
    const { exit, output } = await startGate(["1_a", "2_b", "3_c"], "1s").ended;
    expect(exit).toBe(10);
    expect(output).toMatch(
      /FAILED \(not-migrated\): The database "\S+" on \S+ lacks 2 migrations of this release after 1 s\.\n {2}2_b\n {2}3_c\nDatabase: only read; nothing was changed\.\nApp: this pod does not start.*\nNext: let the release migrate this database: raise release\.attempt .*pulumi up\n$/,
    );
    expect(output).not.toContain("app-password");
  });

  test("counts neither a migration that was rolled back nor one that did not finish", async () => {
    expect((await migrate(url, historyOf(HISTORY))).exit).toBe(0);
    await grant();
    await query(url, "UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name = '1_a'");
    await query(url, "UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = '2_b'");
    const { exit, output } = await startGate(["1_a", "2_b"], "1s").ended;
    expect({ exit, output }).toMatchObject({ exit: 10, output: expect.stringContaining("  1_a\n  2_b\n") });
  });

  test("names the GRANT that the app's role lacks, and it is the right one", async () => {
    const schema = `${url}?schema=own`;
    expect((await migrate(schema, historyOf(HISTORY))).exit).toBe(0);
    const { exit, output } = await startGate(["2_b"], "20s", `${appUrl}?schema=own`).ended;
    expect(exit).toBe(3);
    const grants = /FAILED \(history-unreadable\)[\s\S]*Next: as the migration's role: (.*); the pod then/.exec(output);
    await query(url, grants![1]!);
    expect((await startGate(["2_b"], "20s", `${appUrl}?schema=own`).ended).exit).toBe(0);
  });

  test("goes through a pooler, and leaves no setting behind in its session", async () => {
    expect((await migrate(url, historyOf(HISTORY))).exit).toBe(0);
    await grant();
    expect((await startGate(["2_b"], "20s", `${appUrl}?pgbouncer=true`).ended).exit).toBe(0);
  });

  test("waits for a server that is restarted, and ends when its pod is stopped", async () => {
    await server.shutDown();
    const gate = startGate(["2_b"], "2m");
    await new Promise((resolve) => gate.child.once("spawn", resolve));
    await server.restart();
    await until(() => gate.output().includes("Waiting"), "the gate waits");
    gate.child.kill("SIGTERM");
    expect((await gate.ended).exit).toBe(143);
  }, 60_000);

  test("says at once that a login is wrong, or that nothing is waited for", async () => {
    const wrong = await startGate(["2_b"], "1m", appUrl.replace(":app-password@", ":wrong-password@")).ended;
    expect(wrong.exit).toBe(3);
    expect(wrong.output).toContain("FAILED (login-refused)");
    expect(wrong.output).not.toContain("wrong-password");
    const none = await startGate([]).ended;
    expect(none).toMatchObject({ exit: 2, output: expect.stringContaining("wait needs --for MIGRATION") });
  });

  test("is the migrator's verb wait too, and a small part of the migrator", async () => {
    expect((await migrate(url, historyOf(HISTORY))).exit).toBe(0);
    expect((await startMigrator(["wait", "--for", "2_b"], { DATABASE_URL: url }).ended).exit).toBe(0);
    expect(statSync(program).size).toBeLessThan(230_000);
  });
});
