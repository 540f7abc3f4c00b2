import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { Client } from "pg";
import { startPostgres } from "../test/support/postgres";
import { bundle, history } from "./deployed";
import type { Figure } from "./figure";

const LOCK_TIMEOUT = 500;
const CHANGE = "ALTER TABLE a ADD COLUMN b int;";

async function open(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
}

/** The app's slowest query in milliseconds while `change` is tried and another session holds the table. */
async function stall(url: string, seconds: number, change: () => Promise<void>): Promise<number> {
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

function migrator(url: string, ...args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env["PATH"], DATABASE_URL: url };
    const child = spawn(process.execPath, [bundle(), ...args], { env, stdio: "ignore" });
    child.on("close", (exit) => (exit === 0 ? resolve() : reject(new Error(`exit ${exit}`))));
  });
}

/**
 * Measures the app's slowest query while a session holds ACCESS SHARE on a table that is to be changed: once when the
 * migrator changes the table, and once when the same SQL file is sent as it is.
 */
export async function benchStall(seconds = 20): Promise<Figure[]> {
  const folder = history("stall", [
    ["1_a", "CREATE TABLE a (id int);"],
    ["2_b", CHANGE],
  ]);
  const postgres = await startPostgres();
  try {
    const ours = await postgres.createDatabase();
    const byUs = await stall(ours, seconds, async () => {
      await migrator(ours, "baseline", "--through", "1_a", "--migrations", folder);
      await migrator(ours, "deploy", "--lock-timeout", `${LOCK_TIMEOUT}ms`, "--migrations", folder);
    });
    const plain = await postgres.createDatabase();
    const byFile = await stall(plain, seconds, async () => {
      const client = await open(plain);
      await client.query(CHANGE);
      await client.end();
    });
    const note = `table held for ${seconds} s, lock_timeout ${LOCK_TIMEOUT} ms`;
    return [
      { name: "longest stall of an app query", value: byUs, unit: "ms", limit: LOCK_TIMEOUT * 1.1, note },
      { name: "the same with the plain SQL file", value: byFile, unit: "ms" },
    ];
  } finally {
    await postgres.stop();
  }
}
