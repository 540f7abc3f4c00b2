import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { type Connection, findConnection } from "../../local/cloud/aws/instance";
import { removeDeleted } from "../../local/cloud/aws/placement";
import { stopCloud } from "../../local/cloud/client";
import type { StepEvent } from "../../local/engine/events";
import { readOutputs } from "../../local/engines";

const CHECKOUT = resolve(__dirname, "../..");
const HISTORY = join(CHECKOUT, "examples/app/prisma/migrations");
/** Of any command; what a release may take on a machine that runs other tests too. */
const COMMAND_TIMEOUT = 240_000;

export interface Ran {
  status: number | null;
  /** Of `--json`. */
  events: any[];
  steps: StepEvent[];
  stdout: string;
  stderr: string;
  milliseconds: number;
}

/** The command line, with a state directory and a migrations folder of its own. */
export class Cli {
  readonly home = mkdtempSync(join(tmpdir(), "release cli-"));
  readonly stateDir: string;
  readonly migrations = join(this.home, "migrations");
  readonly reports = join(this.home, "reports");
  /** Everything that any command printed. */
  readonly printed: string[] = [];
  private readonly settings = new Map<string, string>();

  /** @param as a state directory somewhere else, and the user that the commands run as */
  constructor(
    history: number | "all" = "all",
    private readonly as?: { stateDir: string; uid: number; gid: number },
  ) {
    this.stateDir = as?.stateDir ?? join(this.home, "state dir");
    if (as) chownSync(this.home, as.uid, as.gid);
    mkdirSync(this.migrations);
    cpSync(join(HISTORY, "migration_lock.toml"), join(this.migrations, "migration_lock.toml"));
    for (const name of ownHistory().slice(0, history === "all" ? undefined : history)) this.addMigration(name);
    this.set("migrations.directory", this.migrations);
    this.set("report.directory", this.reports);
    // A preview would start a server each time. The test of that switches it on.
    this.set("review.run", "false");
  }

  /** For every command from now on. */
  set(key: string, value: string): void {
    this.settings.set(key, value);
  }

  /** Leaves a setting to its default again. */
  unset(key: string): void {
    this.settings.delete(key);
  }

  /** Of the example's history, or with SQL of the test. */
  addMigration(name: string, sql?: string): void {
    if (sql === undefined) cpSync(join(HISTORY, name), join(this.migrations, name), { recursive: true });
    else {
      mkdirSync(join(this.migrations, name), { recursive: true });
      writeFileSync(join(this.migrations, name, "migration.sql"), sql);
    }
  }

  removeMigration(name: string): void {
    rmSync(join(this.migrations, name), { recursive: true });
  }

  start(...words: string[]): ChildProcess {
    const settings = [...this.settings].flatMap(([key, value]) => ["--config", `${key}=${value}`]);
    const argv = ["--import", "tsx", "local/main.ts", ...words, "--state-dir", this.stateDir, ...settings];
    return spawn(process.execPath, argv, {
      cwd: CHECKOUT,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, FORCE_COLOR: "0", ...(this.as ? { HOME: this.home } : {}) },
      ...(this.as ? { uid: this.as.uid, gid: this.as.gid } : {}),
    });
  }

  async run(...words: string[]): Promise<Ran> {
    return this.finish(this.start(...words));
  }

  /** Types a command of a message as a person would, in the checkout; it must end well. */
  async type(command: string): Promise<string> {
    const { stdout, stderr } = await promisify(execFile)("sh", ["-c", command], {
      cwd: CHECKOUT,
      timeout: COMMAND_TIMEOUT,
      env: { ...process.env, FORCE_COLOR: "0" },
    });
    this.printed.push(stdout, stderr);
    return stdout;
  }

  async finish(child: ChildProcess): Promise<Ran> {
    const began = Date.now();
    let stdout = "";
    let stderr = "";
    child.stdout!.setEncoding("utf8").on("data", (chunk) => (stdout += chunk));
    child.stderr!.setEncoding("utf8").on("data", (chunk) => (stderr += chunk));
    const tooLong = setTimeout(() => child.kill("SIGKILL"), COMMAND_TIMEOUT);
    const status = await new Promise<number | null>((ended) => child.once("close", ended));
    clearTimeout(tooLong);
    this.printed.push(stdout, stderr);
    const events = stdout
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line));
    const steps = events.filter(({ kind }) => kind === "step") as StepEvent[];
    return { status, events, steps, stdout, stderr, milliseconds: Date.now() - began };
  }

  cloudDir(stack = "local"): string {
    return join(this.stateDir, "release", stack, "cloud");
  }

  /** How the test itself reaches the database. */
  connection(stack = "local", identifier = "notes-db"): Connection {
    const found = findConnection(this.cloudDir(stack), "instance", identifier);
    if (!found) throw new Error(`there is no ${identifier} in ${stack}`);
    return found;
  }

  /** Read as the verb reads them, without the second that a command takes. */
  async outputs(stack = "local"): Promise<Record<string, unknown>> {
    return readOutputs({ stateDir: this.stateDir, project: "release", name: stack });
  }

  /** Stops whatever runs, removes whatever was written. */
  async end(): Promise<void> {
    for (const project of namesIn(this.stateDir)) {
      for (const stack of namesIn(join(this.stateDir, project))) {
        await stopCloud(join(this.stateDir, project, stack, "cloud"));
      }
    }
    const clouds = namesIn(this.stateDir).flatMap((project) =>
      namesIn(join(this.stateDir, project)).map((stack) => join(this.stateDir, project, stack, "cloud")),
    );
    rmSync(this.home, { recursive: true, force: true });
    for (const cloud of clouds) await removeDeleted(cloud);
  }
}

function namesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}

export function ownHistory(): string[] {
  return readdirSync(HISTORY)
    .filter((name) => !name.endsWith(".toml"))
    .sort();
}

/** Steps of one kind of resource, `Job`, as they ended. */
export function endedSteps(ran: Ran, kind?: string): StepEvent[] {
  return ran.steps.filter(
    ({ type, status }) =>
      status !== "started" && !/^(pulumi|release):/.test(type) && (kind === undefined || type.endsWith(`:${kind}`)),
  );
}

export async function getJson(url: string, path: string) {
  const response = await fetch(new URL(path, url), {
    headers: { connection: "close" },
    signal: AbortSignal.timeout(10_000),
  });
  return { status: response.status, body: (await response.json()) as any };
}

/** Every file below a directory with a digest of its content; what a preview may not change. */
export function tree(directory: string): Record<string, string> {
  if (!existsSync(directory)) return {};
  const files: Record<string, string> = {};
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) files[path] = "directory";
    else if (entry.isFile()) files[path] = createHash("sha256").update(readFileSync(path)).digest("hex");
  }
  return files;
}

/**
 * Processes that have to do with a directory: named in their command line, or a log or data file of it open. Other
 * systems than Linux show command lines only.
 */
export function processesOf(directory: string): string[] {
  const found = new Map<string, string>();
  for (const line of execFileSync("ps", ["-eo", "pid=,stat=,args="], { encoding: "utf8", maxBuffer: 64e6 }).split(
    "\n",
  )) {
    const [, pid = "", stat = "", args = ""] = /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (pid === String(process.pid) || stat.startsWith("Z") || pid === "") continue;
    if (
      args.includes(directory) ||
      (process.platform === "linux" && opened(pid).some((path) => path.startsWith(directory)))
    ) {
      found.set(pid, args);
    }
  }
  return [...found].map(([pid, args]) => `${pid} ${args}`);
}

function opened(pid: string): string[] {
  try {
    const links = readdirSync(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`);
    return [`/proc/${pid}/cwd`, ...links].flatMap((link) => {
      try {
        return [readlinkSync(link)];
      } catch {
        return [];
      }
    });
  } catch {
    // It ended, or is another user's.
    return [];
  }
}

export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeout = 30_000,
): Promise<void> {
  const end = Date.now() + timeout;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${timeout} ms: ${what}`);
    await new Promise((passed) => setTimeout(passed, 20));
  }
}

export function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}
