import { randomBytes } from "node:crypto";
import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Client } from "pg";
import { canEnter } from "../../local/cloud/aws/account";
import { locateBinaries } from "../../local/cloud/aws/binaries";
import { copyTree, exists } from "../../local/cloud/aws/files";
import { initialise, killServer, type Server, startServer, stopServer } from "../../local/cloud/aws/postgres";
import { endWithParent } from "./end-with-parent";
import { chosenMajor, NEWEST } from "./majors";
import { startServer as startServerOfMajor, type TestPostgres } from "./server";

export { dumpDatabase } from "./dump";
export type { TestPostgres } from "./server";

const password = "test-password";

/** Of the major in POSTGRES_MAJOR, or the newest. 0.3 s: the data directory is a copy of one that is initialised once a machine. */
export async function startPostgres(options: { settings?: Record<string, string> } = {}): Promise<TestPostgres> {
  if (chosenMajor !== NEWEST) return startServerOfMajor(options);
  const template = await templateDirectory();
  const { account } = await locateBinaries();
  const home = await fs.mkdtemp(path.join(path.dirname(template), "postgres-test-"));
  if (account) await fs.chown(home, account.uid, account.gid);
  const dataDirectory = path.join(home, "data");
  await copyTree(template, dataDirectory, { owner: account });
  // The machine's power cut is not what these tests try; a killed process loses nothing without fsync either.
  const settings = { fsync: "off", ...options.settings };
  const log = path.join(home, "log");
  let server: Server = await startServer({ dataDirectory, settings, log });
  const { port } = server;
  const url = (database: string) => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`;
  endWithParent(home);

  return {
    url: url("postgres"),
    port,
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
      await stopServer(dataDirectory, { mode: "immediate" });
      await fs.rm(home, { recursive: true, force: true });
    },
    kill: () => killServer(dataDirectory),
    async restart() {
      await stopServer(dataDirectory);
      server = await startServer({ dataDirectory, settings, log, port });
      if (server.port !== port) throw new Error(`Port ${port} was taken while the test's Postgres was down.`);
    },
  };
}

/** One a machine, user and version; made under another name and renamed, so that test files can race for it. */
async function templateDirectory(): Promise<string> {
  const { version, account } = await locateBinaries();
  // TMPDIR may be a folder that only root can enter.
  const temporary = (await canEnter(os.tmpdir(), account)) ? os.tmpdir() : "/tmp";
  const template = path.join(await fs.realpath(temporary), `postgres-template-${version}-${process.getuid?.()}`);
  if (await exists(template)) return template;
  try {
    await initialise({ dataDirectory: template, superuser: "postgres", password });
  } catch (error) {
    if (!(await exists(template))) throw error;
  }
  return template;
}
