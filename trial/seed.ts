import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { formatDuration } from "../text/short-duration";
import { connected } from "./server";
import { SeedFailed } from "./unavailable";

/** What fills the database with rows: a file of SQL, or a command with its arguments. */
export type Seed = string | readonly string[];

/** The time in milliseconds that a seed may take. */
const limit = 300_000;

/**
 * Fills a database with rows.
 * @throws SeedFailed
 */
export async function runSeed(seed: Seed, url: string): Promise<void> {
  const name = typeof seed === "string" ? seed : seed.join(" ");
  try {
    await (typeof seed === "string" ? runFile(seed, url) : runCommand(seed, url));
  } catch (error) {
    // Errors of Postgres have a severity, and those of the system don't.
    const { code, severity, message } = error as { code?: string; severity?: string; message: string };
    const state = severity === undefined ? "" : ` (SQLSTATE ${code})`;
    throw new SeedFailed(name, `${message.replace(/\.$/, "")}${state}`);
  }
}

async function runFile(file: string, url: string): Promise<void> {
  const sql = await readFile(file, "utf8");
  await connected(url, async (client) => {
    await client.query(`SET statement_timeout = ${limit}`);
    await client.query(sql);
  });
}

/** The variables by which programs find a database. All of them are set, so that none leads to another one. */
function connectionVariables(url: string): NodeJS.ProcessEnv {
  const { hostname, port, username, password, pathname } = new URL(url);
  return {
    DATABASE_URL: url,
    DIRECT_URL: url,
    PGHOST: hostname,
    PGPORT: port,
    PGUSER: username,
    PGPASSWORD: password,
    PGDATABASE: pathname.slice(1),
  };
}

function runCommand([program = "", ...args]: readonly string[], url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { ...process.env, ...connectionVariables(url) },
      stdio: ["ignore", "ignore", "pipe"],
      // The command is a group of its own, so that what it has started can be ended with it.
      detached: true,
    });
    let errors = "";
    child.stderr.on("data", (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-4000);
    });
    const timer = setTimeout(() => {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      reject(new Error(`it took longer than ${formatDuration(limit)}`));
    }, limit);
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once("exit", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) return resolve();
      const last = errors.trim().split("\n").slice(-10).join("\n  ");
      reject(new Error(`it ended with ${signal ?? `status ${code}`}${last === "" ? "" : `:\n  ${last}\n`}`));
    });
  });
}
