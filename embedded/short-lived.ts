import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { canEnter } from "./account";
import type { Binaries } from "./binaries";
import { endWithParent } from "./end-with-parent";
import { exists, removeTree } from "./files";
import { cacheFolder } from "./majors";
import { initialise, killServer, type Server, startServer, stopServer } from "./postgres";

/** A server with its own data directory and port. It ends with the process that started it, however that ends. */
export interface ShortLivedServer extends Server {
  /** The connection string of the superuser for a database. The password is known to this machine's user only. */
  url(database: string): string;
  /** Stops the server and removes its data. */
  stop(): Promise<void>;
  /** Kills every process of the server. `restart()` brings it back with what was committed. */
  kill(): Promise<void>;
  /** Stops the server if it runs, and starts it again on the same port with the same data. */
  restart(): Promise<void>;
}

/**
 * Starts a server in the temporary folder. It takes 0.3 s, because its data directory is a copy of one that is
 * initialised once a machine, user and version. Nothing is synced to the disk: what was committed survives the end of
 * the server, but not a power cut.
 * @param settings settings of the server, which override the defaults
 */
export async function startShortLived(
  binaries: Binaries,
  settings: Record<string, string> = {},
): Promise<ShortLivedServer> {
  const { account } = binaries;
  const { data, password } = await template(binaries);
  // TMPDIR may be a folder that only root can enter.
  const place = (await canEnter(os.tmpdir(), account)) ? os.tmpdir() : "/tmp";
  const home = await fs.mkdtemp(path.join(await fs.realpath(place), "postgres-short-lived-"));
  endWithParent(home);
  const dataDirectory = path.join(home, "data");
  const start = (port?: number) =>
    startServer({
      binaries,
      dataDirectory,
      settings: { fsync: "off", ...settings },
      log: path.join(home, "log"),
      ...(port !== undefined && { port }),
    });
  try {
    if (account) await fs.chown(home, account.uid, account.gid);
    // `cp` takes a tenth of the time of copying 1,000 small files by Node.js.
    await promisify(execFile)("cp", ["-R", data, dataDirectory], { ...account, cwd: "/" });
    const server = await start();
    return {
      ...server,
      url: (database) => `postgres://postgres:${password}@127.0.0.1:${server.port}/${database}`,
      async stop() {
        await stopServer(dataDirectory, { mode: "immediate" });
        await removeTree(home);
      },
      kill: () => killServer(dataDirectory),
      async restart() {
        await stopServer(dataDirectory);
        const { port } = await start(server.port);
        if (port !== server.port) throw new Error(`Port ${server.port} was taken while Postgres was down.`);
      },
    };
  } catch (error) {
    await stopServer(dataDirectory, { mode: "immediate" });
    await removeTree(home);
    throw error;
  }
}

/** Returns an initialised data directory and its superuser's password. */
async function template(binaries: Binaries): Promise<{ data: string; password: string }> {
  const home = path.join(await cacheFolder(), `template-${binaries.version}-${process.getuid?.() ?? ""}`);
  if (!(await exists(home))) await makeTemplate(binaries, home);
  return { data: path.join(home, "data"), password: await fs.readFile(path.join(home, "password"), "utf8") };
}

/** Makes the template under another name and renames it, because several processes may do this at once. */
async function makeTemplate(binaries: Binaries, home: string): Promise<void> {
  const { account } = binaries;
  const temporary = `${home}.${randomBytes(4).toString("hex")}.tmp`;
  const password = randomBytes(16).toString("hex");
  try {
    await fs.mkdir(temporary, { mode: 0o700 });
    if (account) await fs.chown(temporary, account.uid, account.gid);
    await initialise({ binaries, dataDirectory: path.join(temporary, "data"), superuser: "postgres", password });
    await fs.writeFile(path.join(temporary, "password"), password, { mode: 0o600 });
    await fs.rename(temporary, home).catch(async (error) => {
      if (!(await exists(home))) throw error;
    });
  } finally {
    await removeTree(temporary);
  }
}
