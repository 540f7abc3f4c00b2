/**
 * `npm run bench:stall [SECONDS]`: a session holds ACCESS SHARE on a table while the app's queries arrive. How long does the slowest of them take
 * when the migrator changes the table, and how long when the same file is sent as it is?
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Client } from "pg";
import { bundleMigrator } from "../migrator/bundle";
import { startPostgres } from "../test/support/postgres";

const seconds = Number(process.argv[2] ?? 20);
const lockTimeout = 500;
const sql = "ALTER TABLE a ADD COLUMN b int;";

async function open(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
}

/** Slowest query of the app in milliseconds, while `change` is tried and another session holds the table. */
async function stall(url: string, change: () => Promise<void>): Promise<number> {
  const [holder, app] = [await open(url), await open(url)];
  await app.query("CREATE TABLE a (id int)");
  await holder.query("BEGIN; SELECT * FROM a");
  let over = false;
  const changed = change().finally(() => {
    over = true;
  });
  const released = pause(seconds * 1000).then(() => holder.query("COMMIT"));
  let longest = 0;
  while (!over) {
    const began = performance.now();
    await app.query("SELECT * FROM a");
    longest = Math.max(longest, performance.now() - began);
    await pause(5);
  }
  await Promise.all([changed, released]);
  await app.query("SELECT b FROM a");
  await Promise.all([holder.end(), app.end()]);
  return longest;
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "bench-stall-"));
  const bundle = join(folder, "migrator.cjs");
  writeFileSync(bundle, bundleMigrator());
  mkdirSync(join(folder, "history/2_b"), { recursive: true });
  mkdirSync(join(folder, "history/1_a"), { recursive: true });
  writeFileSync(join(folder, "history/migration_lock.toml"), 'provider = "postgresql"\n');
  writeFileSync(join(folder, "history/1_a/migration.sql"), "CREATE TABLE a (id int);");
  writeFileSync(join(folder, "history/2_b/migration.sql"), sql);
  const postgres = await startPostgres();
  const migrator = (url: string, ...args: string[]) =>
    new Promise<void>((resolve, reject) => {
      const child = spawn(process.execPath, [bundle, ...args, "--migrations", join(folder, "history")], {
        env: { PATH: process.env.PATH, DATABASE_URL: url },
        stdio: "ignore",
      });
      child.on("close", (exit) => (exit === 0 ? resolve() : reject(new Error(`exit ${exit}`))));
    });
  try {
    const ours = await postgres.createDatabase();
    const byUs = await stall(ours, async () => {
      await migrator(ours, "baseline", "--through", "1_a");
      await migrator(ours, "deploy", "--lock-timeout", `${lockTimeout}ms`);
    });
    console.log(
      `migrator, lock_timeout ${lockTimeout} ms: slowest query of the app ${Math.round(byUs)} ms (limit ${lockTimeout * 1.1} ms)`,
    );
    const plain = await postgres.createDatabase();
    const byFile = await stall(plain, async () => {
      const client = await open(plain);
      await client.query(sql);
      await client.end();
    });
    console.log(`the plain file: slowest query of the app ${Math.round(byFile)} ms`);
  } finally {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

void main();
