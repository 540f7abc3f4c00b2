import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { bundleMigrator } from "../../migrator/cli/bundle";

/** A folder of its own for the test file, removed when the process ends. */
export const scratch = mkdtempSync(join(tmpdir(), "migrator-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));

let bundle: string | undefined;

/** The bundled migrator, as the Job's pod has it. */
export function bundlePath(): string {
  if (bundle === undefined) {
    bundle = join(scratch, "migrator.cjs");
    writeFileSync(bundle, bundleMigrator());
  }
  return bundle;
}

let count = 0;

/** Writes a Prisma folder: migrations by name, in `provider`'s dialect. */
export function historyOf(migrations: Record<string, string>, provider = "postgresql"): string {
  const directory = join(scratch, `history-${++count}`);
  mkdirSync(directory);
  writeFileSync(join(directory, "migration_lock.toml"), `provider = "${provider}"\n`);
  for (const [name, sql] of Object.entries(migrations)) writeMigration(directory, name, sql);
  return directory;
}

export function writeMigration(directory: string, name: string, sql: string): void {
  mkdirSync(join(directory, name), { recursive: true });
  writeFileSync(join(directory, name, "migration.sql"), sql);
}

export interface Ended {
  exit: number | null;
  output: string;
}

export interface Running {
  child: ChildProcess;
  /** What it has printed so far. */
  output(): string;
  ended: Promise<Ended>;
}

/** Starts the bundled migrator as the pod does; the connection string goes by the environment. */
export function startMigrator(args: string[], environment: Record<string, string>, bundle = bundlePath()): Running {
  const child = spawn(process.execPath, [bundle, ...args], {
    env: { PATH: process.env["PATH"] ?? "", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const collect = (text: Buffer) => {
    output += text;
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  const ended = new Promise<Ended>((resolve) => child.on("close", (exit) => resolve({ exit, output })));
  return { child, output: () => output, ended };
}

export function migrate(url: string, directory: string, ...args: string[]): Promise<Ended> {
  const [verb = "deploy", ...rest] = args[0]?.startsWith("--") ? ["deploy", ...args] : args;
  return startMigrator([verb, "--migrations", directory, ...rest], { DATABASE_URL: url }).ended;
}

/** A check as the report of a run has it. */
export interface ReportedCheck {
  name: string;
  outcome: string;
  facts: string;
}

/** The checks in the report that a run printed; none if it printed no report. */
export function reportedChecks(output: string): ReportedCheck[] {
  const report = /^REPORT (.*)$/m.exec(output)?.[1];
  return report === undefined ? [] : JSON.parse(report).results;
}

/** What a preflight has to say of one of its checks. */
export async function preflightCheck(url: string, directory: string, name: string, ...args: string[]) {
  const { exit, output } = await migrate(url, directory, "preflight", ...args);
  const result = reportedChecks(output).find((each) => each.name === name);
  return { exit, output, outcome: result?.outcome, text: JSON.stringify(result) };
}

/** Rows of one query, on a connection of its own. */
export async function query<Row = Record<string, unknown>>(
  url: string,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql, values)).rows as Row[];
  } finally {
    await client.end();
  }
}

/** Waits until a condition holds; bounded. */
export async function until(condition: () => Promise<boolean> | boolean, what: string, limit = 20_000): Promise<void> {
  const end = Date.now() + limit;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`Not within ${limit} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
