import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { canEnter } from "../../embedded/account";
import type { Binaries } from "../../embedded/binaries";
import { endWithParent } from "../../embedded/end-with-parent";
import { exists } from "../../embedded/files";
import { binariesOf } from "../../embedded/majors";
import { freePort } from "../../embedded/ports";
import { chosenMajor } from "./majors";

export interface ServerOptions {
  /** Default: the newest, or POSTGRES_MAJOR. */
  readonly major?: number;
  readonly settings?: Readonly<Record<string, string>>;
  /** Lines of pg_hba.conf. Default: passwords from 127.0.0.1. */
  readonly access?: readonly string[];
  /** Files in the data directory, readable by the server alone: certificates, standby.signal, … */
  readonly files?: Readonly<Record<string, string>>;
  /** A data directory to begin with, of a server that doesn't run. */
  readonly copyOf?: string;
}

/** A real Postgres server for one test file: its own data directory, its own port, gone after `stop()`. */
export interface TestPostgres {
  /** The superuser's connection string for the database `postgres`. */
  url: string;
  port: number;
  /** A new, empty database; its url, for the superuser. */
  createDatabase(): Promise<string>;
  /** Stops the server and removes its data. */
  stop(): Promise<void>;
  /** Ends every process of the server by `kill -9`; `restart()` brings it back with what was committed. */
  kill(): Promise<void>;
  /** Stops the server if it runs, and starts it again on the same port with the same data. */
  restart(): Promise<void>;
}

/** A server whose every setting a test can choose, of any major: with TLS, as a standby, with other limits. */
export interface TestServer extends TestPostgres {
  readonly dataDirectory: string;
  /** As `pg_ctl stop`; `restart()` starts it again. */
  shutDown(): Promise<void>;
}

const PASSWORD = "test-password";
const run = promisify(execFile);
const environment = { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C" };

export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const binaries = await binariesOf(options.major ?? chosenMajor);
  const { account } = binaries;
  const template = options.copyOf ?? (await templateOf(binaries));
  const home = await fs.mkdtemp(path.join(await placeFor(binaries), "postgres-server-"));
  if (account) await fs.chown(home, account.uid, account.gid);
  const dataDirectory = path.join(home, "data");
  await run("cp", ["-R", template, dataDirectory], { ...account, cwd: "/" });
  const port = await freePort();
  const settings = {
    listen_addresses: "127.0.0.1",
    port: String(port),
    unix_socket_directories: "",
    fsync: "off",
    shared_buffers: "16MB",
    max_connections: "60",
    timezone: "UTC",
    // The default of 13 is md5.
    password_encryption: "scram-sha-256",
    ...options.settings,
  };
  const write = async (name: string, text: string) => {
    const file = path.join(dataDirectory, name);
    await fs.writeFile(file, text, { mode: 0o600 });
    if (account) await fs.chown(file, account.uid, account.gid);
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} = '${value.replaceAll("'", "''")}'\n`);
  await write("postgresql.conf", lines.join(""));
  const access = options.access ?? ["host all all 127.0.0.1/32 scram-sha-256"];
  await write("pg_hba.conf", `${access.join("\n")}\n`);
  for (const [name, text] of Object.entries(options.files ?? {})) await write(name, text);
  endWithParent(home);
  const log = path.join(home, "log");
  let child = await start(binaries, dataDirectory, port, log);
  const url = (database: string) => `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/${database}`;
  return {
    url: url("postgres"),
    port,
    dataDirectory,
    async createDatabase() {
      const name = `test_${randomBytes(6).toString("hex")}`;
      const client = new Client({ connectionString: url("postgres") });
      await client.connect();
      try {
        await client.query(`CREATE DATABASE ${name}`);
      } finally {
        await client.end();
      }
      return url(name);
    },
    async stop() {
      await end(child, "SIGQUIT");
      await fs.rm(home, { recursive: true, force: true });
    },
    kill: () => end(child, "SIGKILL"),
    shutDown: () => end(child, "SIGINT"),
    async restart() {
      await end(child, "SIGINT");
      child = await start(binaries, dataDirectory, port, log);
    },
  };
}

/** Where the server's user can go too: TMPDIR may be a folder that only root can enter. */
async function placeFor({ account }: Binaries): Promise<string> {
  return fs.realpath((await canEnter(os.tmpdir(), account)) ? os.tmpdir() : "/tmp");
}

/** One a machine, user and version; made under another name and renamed, so that test files can race for it. */
async function templateOf(binaries: Binaries): Promise<string> {
  const { directory, version, account } = binaries;
  const place = await placeFor(binaries);
  const template = path.join(place, `postgres-plain-${version}-${process.getuid?.() ?? ""}`);
  if (await exists(template)) return template;
  const home = await fs.mkdtemp(path.join(place, "postgres-init-"));
  try {
    const passwordFile = path.join(home, "password");
    await fs.writeFile(passwordFile, PASSWORD, { mode: 0o600 });
    if (account) for (const each of [home, passwordFile]) await fs.chown(each, account.uid, account.gid);
    const data = path.join(home, "data");
    const flags = ["-U", "postgres", `--pwfile=${passwordFile}`, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C"];
    const as = { ...account, cwd: home, env: environment, timeout: 120_000 };
    await run(path.join(directory, "bin", "initdb"), ["-D", data, ...flags, "--no-sync"], as);
    await fs.rename(data, template).catch(async (error) => {
      if (!(await exists(template))) throw error;
    });
  } finally {
    await fs.rm(home, { recursive: true, force: true });
  }
  return template;
}

/** Resolves when it answers. What a killed server left behind may be in the way for a moment. */
async function start(
  { directory, account }: Binaries,
  dataDirectory: string,
  port: number,
  log: string,
): Promise<ChildProcess> {
  const until = Date.now() + 60_000;
  for (;;) {
    const file = await fs.open(log, "a", 0o600);
    const child = spawn(path.join(directory, "bin", "postgres"), ["-D", dataDirectory], {
      ...account,
      cwd: "/",
      env: environment,
      stdio: ["ignore", file.fd, file.fd],
    });
    await file.close();
    const over = () => child.exitCode !== null || child.signalCode !== null;
    while (!over() && Date.now() < until) {
      if (await answers(port)) return child;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    const text = await fs.readFile(log, "utf8");
    if (Date.now() >= until || !/still in use|lock file/.test(text.slice(-2000)))
      throw new Error(`The test's Postgres did not start:\n${text.slice(-2000)}`);
    await fs.truncate(log);
  }
}

/** A refused login (28…) is an answer too: pg_hba.conf may let nobody in this way. */
async function answers(port: number): Promise<boolean> {
  const client = new Client({ host: "127.0.0.1", port, user: "postgres", password: PASSWORD, database: "postgres" });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.end();
    return true;
  } catch (error) {
    const { code } = error as { code?: string };
    return code !== undefined && /^28/.test(code);
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await ended;
}
