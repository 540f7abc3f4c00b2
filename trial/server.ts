import { promises as fs } from "node:fs";
import path from "node:path";
import { Client } from "pg";
import { binariesOf, NEWEST } from "../embedded/majors";
import { type ShortLivedServer, startShortLived } from "../embedded/short-lived";
import type { Migration } from "../migrations/history/history";
import { encodePayload, payloadKey } from "../migrations/history/payload";
import { bundleMigrator } from "../migrator/cli/bundle";
import type { MigratorFiles } from "./run-migrator";
import { TrialUnavailable } from "./unavailable";

/** The server of one trial. It has the database `base`, of which every step gets a copy. */
export interface TrialServer {
  /** The version of the server, such as "18.4". */
  readonly version: string;
  /** The connection string of the database `base`. */
  readonly base: string;
  /** Creates a copy of `base` and returns its connection string. It takes a tenth of a second. */
  copy(): Promise<string>;
  /** Creates a role that may not log in. */
  createRole(name: string): Promise<void>;
  /** Writes migrations as the migrator reads them in a Job's pod. */
  files(migrations: readonly Migration[]): Promise<MigratorFiles>;
}

/**
 * Starts a server of this major, and stops it after the work. If this process is killed, the server ends by itself.
 * @param major Default: the newest.
 * @throws TrialUnavailable if the server can't be started
 */
export async function onServer<T>(major: number | undefined, work: (server: TrialServer) => Promise<T>): Promise<T> {
  const { version, server } = await start(major ?? NEWEST);
  try {
    await query(server.url("postgres"), "CREATE DATABASE base");
    return await work(trialServer(version, server));
  } finally {
    await server.stop();
  }
}

async function start(major: number): Promise<{ version: string; server: ShortLivedServer }> {
  try {
    const binaries = await binariesOf(major);
    return { version: binaries.version, server: await startShortLived(binaries) };
  } catch (error) {
    throw new TrialUnavailable((error as Error).message.replace(/\.$/, ""));
  }
}

function trialServer(version: string, server: ShortLivedServer): TrialServer {
  const admin = server.url("postgres");
  let copies = 0;
  let folders = 0;
  return {
    version,
    base: server.url("base"),
    async copy() {
      const name = `copy_${++copies}`;
      // A database that somebody is connected to can't be copied; the seed's command may have left a connection.
      await query(admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'base'");
      await query(admin, `CREATE DATABASE ${name} TEMPLATE base`);
      return server.url(name);
    },
    createRole: (name) => query(admin, `CREATE ROLE "${name.replaceAll('"', '""')}"`),
    async files(migrations) {
      const payload = path.join(path.dirname(server.dataDirectory), `payload-${++folders}`);
      const program = path.join(path.dirname(server.dataDirectory), "migrator.cjs");
      await fs.mkdir(payload);
      await fs.writeFile(program, bundleMigrator());
      for (const [index, piece] of encodePayload(migrations).entries())
        await fs.writeFile(path.join(payload, payloadKey(index)), piece);
      return { program, payload };
    },
  };
}

async function query(url: string, sql: string): Promise<void> {
  await connected(url, (client) => client.query(sql));
}

/** Connects to a database for the time of the work. */
export async function connected<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  // A server that ends meanwhile also fails the query, which tells it.
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
