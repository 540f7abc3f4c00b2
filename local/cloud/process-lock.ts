import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { writeAtomically } from "../../text/atomic";
import { describeProcess, isRunning, type ProcessRecord } from "./process";

/**
 * A lock that becomes free the moment its holder ends, even if it is killed. Node.js has no flock(2), so the lock file
 * contains the holder's process id and start time. A process that finds an ended holder creates the *next* file,
 * `NAME.8` after `NAME.7`, which only one process can do. The file with the highest number is never deleted, so that no
 * process can take the lock under a lower number.
 */
export interface ProcessLock {
  release(): void;
}

export interface LockHolder extends ProcessRecord {
  /** The purpose for which the holder has the lock. */
  purpose: string;
}

/** Tries once, without waiting. Undefined if another process has the lock; {@link lockHolder} returns that process. */
export function tryLock(directory: string, name: string, purpose: string): ProcessLock | undefined {
  mkdirSync(directory, { recursive: true });
  const self: LockHolder = { ...describeProcess(process.pid)!, purpose };
  const draft = join(directory, `${name}.draft-${process.pid}`);
  for (;;) {
    const highest = generations(directory, name).at(-1) ?? 0;
    const holder = highest > 0 ? readHolder(directory, name, highest) : undefined;
    if (holder && isRunning(holder)) return undefined;

    const mine = join(directory, `${name}.${highest + 1}`);
    writeAtomically(draft, JSON.stringify(self));
    if (!linkOnce(draft, mine)) continue;
    if ((generations(directory, name).at(-1) ?? 0) > highest + 1) {
      rmSync(mine, { force: true });
      continue;
    }
    for (const old of generations(directory, name)) {
      if (old <= highest) rmSync(join(directory, `${name}.${old}`), { force: true });
    }
    // An empty file means that the lock is free. Unlike writing, truncating works on a full disk.
    return { release: () => truncateSync(mine) };
  }
}

/** Gives the draft its final name; false if another process was faster. The draft is removed in both cases. */
function linkOnce(draft: string, name: string): boolean {
  try {
    linkSync(draft, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** The process that holds the lock now; undefined if none does. */
export function lockHolder(directory: string, name: string): LockHolder | undefined {
  const highest = generations(directory, name).at(-1);
  const holder = highest === undefined ? undefined : readHolder(directory, name, highest);
  return holder && isRunning(holder) ? holder : undefined;
}

function generations(directory: string, name: string): number[] {
  let entries: string[];
  try {
    entries = readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  return entries
    .filter((entry) => entry.startsWith(`${name}.`))
    .map((entry) => Number(entry.slice(name.length + 1)))
    .filter((generation) => Number.isInteger(generation))
    .sort((a, b) => a - b);
}

function readHolder(directory: string, name: string, generation: number): LockHolder | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, `${name}.${generation}`), "utf8")) as LockHolder;
  } catch {
    return undefined;
  }
}
