import { type Dirent, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Migration } from "../../migrations/history/history";
import type { PrismaFile } from "../../migrations/revert/prisma-schema";
import { Failure } from "../failures/failure";
import type { Log } from "../log";
import type { Run } from "../run";
import type { Settings } from "../settings";
import type { RevertInput } from "../verbs/revert";
import { readMigrations } from "./source";

/** The exit status of a failed connection. */
const CONNECTION_EXIT = 3;

/**
 * Runs the verb `revert`. Without a connection it does everything but count what would be lost.
 * @param connected runs the verb with a session
 * @returns the exit status
 */
export async function runRevert(settings: Settings, log: Log, connected: () => Promise<number>): Promise<number> {
  if (settings.revert?.connects)
    try {
      return await connected();
    } catch (error) {
      if (!(error instanceof Failure) || error.exit !== CONNECTION_EXIT) throw error;
      log.event("revert.offline", `Warning: no connection, so what would be lost is unknown: ${error.message}`, {
        code: error.code,
      });
    }
  const migrations = readMigrations(settings.source);
  return start({ settings, log, run: undefined, migrations, prisma: readPrismaFiles(settings.source) });
}

/** Runs the verb `revert` with a session. */
export function revertConnected(run: Run, migrations: readonly Migration[]): Promise<number> {
  const { settings, log } = run;
  return start({ settings, log, run, migrations, prisma: readPrismaFiles(settings.source) });
}

/** Loads the verb only now, because what writes SQL is large and no other verb needs it. */
async function start(input: RevertInput): Promise<number> {
  const { revert } = await import("../verbs/revert.js");
  return revert(input);
}

/** The largest file of a Prisma schema that is read, in bytes, and the greatest number of such files. */
const LARGEST = 1024 * 1024;
const MOST = 200;

/** Reads the files of the Prisma schema: those beside the folder of the migrations, and in folders beside it. */
function readPrismaFiles(source: Settings["source"]): PrismaFile[] {
  if ("payload" in source) return [];
  const folder = dirname(source.directory);
  const folders = [
    folder,
    ...entries(folder).flatMap((entry) => (entry.isDirectory() ? join(folder, entry.name) : [])),
  ];
  const paths = folders.flatMap((each) =>
    entries(each).flatMap((entry) => (entry.isFile() && entry.name.endsWith(".prisma") ? join(each, entry.name) : [])),
  );
  return paths
    .slice(0, MOST)
    .filter((path) => statSync(path).size <= LARGEST)
    .map((path) => ({ path, text: readFileSync(path, "utf8") }));
}

function entries(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
