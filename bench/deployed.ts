import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleMigrator } from "../migrator/cli/bundle";

/** A temporary folder, which is removed when this process ends. */
export const folder = mkdtempSync(join(tmpdir(), "bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

let written: string | undefined;

/** Returns the path of the bundled migrator, the same file that runs in the pod. */
export function bundle(): string {
  written ??= join(folder, "migrator.cjs");
  if (!existsSync(written)) writeFileSync(written, bundleMigrator());
  return written;
}

/** Writes a folder of Prisma migrations and returns its path. */
export function history(name: string, migrations: readonly (readonly [string, string])[]): string {
  const directory = join(folder, name);
  for (const [migration, sql] of migrations) {
    mkdirSync(join(directory, migration), { recursive: true });
    writeFileSync(join(directory, migration, "migration.sql"), sql);
  }
  writeFileSync(join(directory, "migration_lock.toml"), 'provider = "postgresql"\n');
  return directory;
}

/** What was measured of one process. */
export interface Measured {
  /** The milliseconds from the start of the process to its end. */
  readonly time: number;
  /** The largest resident set in MiB; 0 where there is no /proc. */
  readonly memory: number;
  /** The milliseconds from the start of the process to its first log line, printed after the first query's answer. */
  readonly firstQuery: number;
}

/** Runs a verb of the bundled migrator, such as `deploy`, as a process. */
export async function measure(url: string, ...args: string[]): Promise<Measured> {
  const program = bundle();
  const began = performance.now();
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env["PATH"], DATABASE_URL: url },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let memory = 0;
  let firstQuery = 0;
  let output = "";
  child.stdout.on("data", (text) => {
    firstQuery ||= performance.now() - began;
    output += text;
  });
  const watch = setInterval(() => {
    const status = `/proc/${child.pid}/status`;
    if (!existsSync(status)) return;
    memory = Math.max(memory, Number(/VmHWM:\s+(\d+)/.exec(readFileSync(status, "utf8"))?.[1] ?? 0) / 1024);
  }, 20);
  const exit = await new Promise((resolve) => child.on("close", resolve));
  clearInterval(watch);
  if (exit !== 0) throw new Error(`exit ${exit}\n${output.slice(-2000)}`);
  return { time: performance.now() - began, memory, firstQuery };
}
