import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promises as fs } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { writeAtomically } from "../text/atomic";
import { type Binaries, locateBinaries } from "./binaries";
import { isMissing, removeTree, syncPath, syncTree } from "./files";
import { freePort, isFree } from "./ports";
import { commandOf, listProcesses, signal, until } from "./processes";

/** A Postgres server that accepts connections on 127.0.0.1. It keeps running when the process that started it ends. */
export interface Server {
  dataDirectory: string;
  pid: number;
  port: number;
}

/** Starting a server or creating its data directory failed. The message ends with the last lines of its log. */
class PostgresFailed extends Error {
  override readonly name = "PostgresFailed";
}

export interface InitialiseOptions {
  /** Default: those of {@link locateBinaries}. */
  binaries?: Binaries;
  /** The absolute path of the data directory. It must not exist, and it appears complete or not at all. */
  dataDirectory: string;
  superuser: string;
  password: string;
}

export interface StartOptions {
  /** Default: those of {@link locateBinaries}. */
  binaries?: Binaries;
  dataDirectory: string;
  /** The port; if another program listens on it, a free one is used. Default: a free one. */
  port?: number;
  /** Settings that are written to postgresql.conf; they override {@link defaultSettings}. */
  settings?: Record<string, string>;
  /** The file to which the server's messages are appended; default: `<dataDirectory>.log`. */
  log?: string;
  /** The longest time in ms until the server is ready, including recovery after a crash; default: 120 000. */
  timeout?: number;
}

/**
 * The settings use few processes and little memory, for a laptop, but do not weaken durability: committed data survives
 * `kill -9` of everything. UTC and pg_stat_statements are as on RDS. There is no socket file, since its path could
 * become too long.
 */
const defaultSettings: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  timezone: "UTC",
  log_timezone: "UTC",
  lc_messages: "C",
  max_connections: "100",
  shared_buffers: "32MB",
  max_wal_size: "256MB",
  huge_pages: "off",
  password_encryption: "scram-sha-256",
  shared_preload_libraries: "pg_stat_statements",
  log_line_prefix: "%m [%p] %u@%d ",
};

/** The size in bytes from which a log is renamed at the next start; the older renamed log is deleted. */
const logLimit = 10 * 1024 * 1024;
const run = promisify(execFile);
/** The environment of servers. The locale only affects messages; on macOS servers refuse to start without one. */
const environment = { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C" };

/** Runs initdb, which takes 0.6 s. The directory is created elsewhere and renamed, so that it is never incomplete. */
export async function initialise(options: InitialiseOptions): Promise<void> {
  const binaries = options.binaries ?? (await locateBinaries());
  const { account, version } = binaries;
  const { dataDirectory, superuser, password } = options;
  const temporary = `${dataDirectory}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await fs.mkdir(temporary, { recursive: true, mode: 0o700 });
    const passwordFile = path.join(temporary, "password");
    writeAtomically(passwordFile, password, 0o600, account);
    if (account) await fs.chown(temporary, account.uid, account.gid);
    const data = path.join(temporary, "data");
    // Older versions have no locales of their own that are the same on every system.
    const builtin = Number.parseInt(version, 10) < 17 ? [] : ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"];
    const locale = ["--encoding=UTF8", "--locale=C", ...builtin];
    const flags = [`--username=${superuser}`, `--pwfile=${passwordFile}`, "--auth=scram-sha-256"];
    await runTool(binaries, "initdb", ["-D", data, ...flags, ...locale, "--no-sync", "--no-instructions"]);
    await syncTree(data);
    await fs.rename(data, dataDirectory);
    await syncPath(path.dirname(dataDirectory));
  } finally {
    await removeTree(temporary);
  }
}

/** The server that runs on this data directory, started by any process; undefined if none runs or it is starting. */
export async function runningServer(dataDirectory: string): Promise<Server | undefined> {
  const found = await readPidFile(dataDirectory);
  return found?.ready ? { dataDirectory, pid: found.pid, port: found.port } : undefined;
}

/** Starts a server, or returns the one that is running already. @throws PostgresFailed */
export async function startServer(options: StartOptions): Promise<Server> {
  const { dataDirectory, timeout = 120_000 } = options;
  const log = options.log ?? `${dataDirectory}.log`;
  const binaries = options.binaries ?? (await locateBinaries());
  let port = options.port;
  for (let tries = 0; ; tries++) {
    const running = await until(() => runningOrNone(dataDirectory), { timeout });
    if (running && running !== "none") return running;
    await endLeftovers(dataDirectory);
    if (port === undefined || !(await isFree(port))) port = await freePort();
    const own = Number.parseInt(binaries.version, 10) < 18 ? {} : { io_method: "sync" };
    await writeSettings(binaries, dataDirectory, { ...defaultSettings, ...own, ...options.settings });
    const started = await startOnce(binaries, dataDirectory, port, log, timeout);
    if (typeof started !== "string") return started;
    const others = (await readPidFile(dataDirectory)) !== undefined;
    // Another process has started the server or taken the port in the meantime, so it is tried again.
    if (tries < 3 && (others || /Address already in use|already exists|still in use/.test(started))) continue;
    throw new PostgresFailed(`Postgres in ${dataDirectory} did not start. The end of ${log}:\n${started}`);
  }
}

/**
 * Stops the server and waits for its end; does nothing if none is running. "fast" ends the sessions and writes
 * everything to the data files; "immediate" is like a crash. A server that has not ended within `timeout` ms (30 000)
 * is killed, which loses no committed data.
 */
export async function stopServer(
  dataDirectory: string,
  { mode = "fast", timeout = 30_000 }: { mode?: "fast" | "immediate"; timeout?: number } = {},
): Promise<void> {
  const found = await readPidFile(dataDirectory);
  if (found) {
    signal(found.pid, mode === "fast" ? "SIGINT" : "SIGQUIT");
    await until(async () => (await serverCommand(found.pid, dataDirectory)) === undefined, { timeout });
  }
  await endLeftovers(dataDirectory);
}

/** Kills every process of this server at once, as a power cut would. */
export async function killServer(dataDirectory: string): Promise<void> {
  await endLeftovers(dataDirectory);
}

async function runningOrNone(dataDirectory: string): Promise<Server | "none" | undefined> {
  const found = await readPidFile(dataDirectory);
  if (!found) return "none";
  return found.ready ? { dataDirectory, pid: found.pid, port: found.port } : undefined;
}

/** Reads postmaster.pid: line 1 is the process id, 4 the port, 8 the status. Undefined if that process has ended. */
async function readPidFile(dataDirectory: string): Promise<{ pid: number; port: number; ready: boolean } | undefined> {
  let lines: string[];
  try {
    lines = (await fs.readFile(path.join(dataDirectory, "postmaster.pid"), "utf8")).split("\n");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  const pid = Number(lines[0]);
  // Another program may have this process id by now; our server's command line contains its data directory.
  if (!(pid > 1) || !(await serverCommand(pid, dataDirectory))) return undefined;
  return { pid, port: Number(lines[3]), ready: lines[7]?.trim() === "ready" };
}

async function serverCommand(pid: number, dataDirectory: string): Promise<string | undefined> {
  const command = await commandOf(pid);
  return command?.includes(` -D ${dataDirectory} `) ? command : undefined;
}

/**
 * Kills the rest of a server: its main process and its workers, which outlive it for a while after a `kill -9` and
 * block the next start. Their titles contain the server's name, which is unique to this data directory.
 */
async function endLeftovers(dataDirectory: string): Promise<void> {
  const name = await serverName(dataDirectory);
  const ours = async () =>
    (await listProcesses()).filter(
      ({ command }) =>
        command.includes(` -D ${dataDirectory} `) || (name !== undefined && command.startsWith(`postgres: ${name}: `)),
    );
  for (const { pid } of await ours()) signal(pid, "SIGKILL");
  await until(async () => (await ours()).length === 0, { timeout: 10_000 });
}

/** The server's name in its postgresql.conf; undefined in a copied directory, which gets a new name when it starts. */
async function serverName(dataDirectory: string): Promise<string | undefined> {
  const settings = await fs.readFile(path.join(dataDirectory, "postgresql.conf"), "utf8").catch(() => "");
  const [, name, home] = settings.match(/^cluster_name = '(.*)' # of (.*)$/m) ?? [];
  return home === dataDirectory ? name : undefined;
}

async function writeSettings({ account }: Binaries, dataDirectory: string, settings: Record<string, string>) {
  const name = (await serverName(dataDirectory)) ?? `local-${randomBytes(8).toString("hex")}`;
  const lines = Object.entries(settings).map(([key, value]) => `${key} = '${value.replaceAll("'", "''")}'`);
  lines.push(`cluster_name = '${name}' # of ${dataDirectory}`, "");
  writeAtomically(path.join(dataDirectory, "postgresql.conf"), lines.join("\n"), 0o600, account);
  const access = "host all all 127.0.0.1/32 scram-sha-256\n";
  writeAtomically(path.join(dataDirectory, "pg_hba.conf"), access, 0o600, account);
}

/** Starts the server once. Returns it, or the end of its log if it ended before it was ready. */
async function startOnce(
  { directory, account }: Binaries,
  dataDirectory: string,
  port: number,
  log: string,
  timeout: number,
): Promise<Server | string> {
  const size = await fs.stat(log).then(
    (stat) => stat.size,
    () => 0,
  );
  if (size > logLimit) await fs.rename(log, `${log}.1`);
  const file = await fs.open(log, "a", 0o600);
  const { size: from } = await file.stat();
  let child: ChildProcess;
  try {
    child = spawn(path.join(directory, "bin", "postgres"), ["-D", dataDirectory, "-p", String(port)], {
      ...account,
      cwd: "/",
      env: environment,
      detached: true,
      stdio: ["ignore", file.fd, file.fd],
    });
  } finally {
    await file.close();
  }
  let ended: string | undefined;
  child.once("error", (error) => (ended = error.message));
  child.once("exit", (code, by) => (ended ??= `exit ${code ?? by}`));
  child.unref();
  const server = await until(
    async () => (ended ? "ended" : await runningServer(dataDirectory).then((s) => s?.pid === child.pid && s)),
    { timeout },
  );
  if (server && server !== "ended") return server;
  const text = (await fs.readFile(log)).subarray(from).toString("utf8").trimEnd();
  if (ended) return `${text.split("\n").slice(-20).join("\n")}\n(${ended})`;
  throw new PostgresFailed(
    `Postgres in ${dataDirectory} was not ready within ${timeout / 1000}s; it goes on starting. The end of ${log}:\n${text.split("\n").slice(-20).join("\n")}`,
  );
}

async function runTool({ directory, account }: Binaries, tool: string, args: string[]): Promise<void> {
  try {
    await run(path.join(directory, "bin", tool), args, { ...account, cwd: "/", env: environment, timeout: 120_000 });
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw new PostgresFailed(`${tool} failed: ${stderr?.trim() || message}`);
  }
}
