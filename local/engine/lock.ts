import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { linkSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readText, writeSynced } from "../../text/atomic";

export interface StackLock {
  /** @throws Error if another command has taken the lock, which only happens when the lock file was tampered with. */
  assertHeld(): void;
  release(): void;
}

/** Another command is changing the stack. */
export class StackLockedError extends Error {
  constructor(
    stack: string,
    readonly pid: number,
    since: string,
  ) {
    super(
      `Stack ${stack} is being changed by another command (process ${pid}, since ${since}). ` +
        "Nothing was changed by this one. Wait for that command to end, then run this one again.",
    );
    this.name = "StackLockedError";
  }
}

/**
 * Takes the lock that allows only one update of a stack at a time. The lock file contains its holder's process id and
 * start time, so that a lock left by a killed command is taken over, even if another program has its process id by now.
 * @throws StackLockedError when a running process holds the lock
 */
export function lockStack(directory: string, stack: string): StackLock {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, "lock");
  const mine = join(directory, `lock.${process.pid}.${randomUUID()}`);
  const text = JSON.stringify({ pid: process.pid, started: startTime(process.pid), since: now(), nonce: randomUUID() });
  try {
    writeSynced(mine, text, 0o600);
    while (!tryLink(mine, file)) {
      const held = readText(file);
      if (held === undefined) continue;
      const holder = parse(held);
      if (holder && isRunning(holder)) throw new StackLockedError(stack, holder.pid, holder.since);
      removeStale(file, held, `${mine}.stale`);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  removeLeftovers(directory);
  return {
    assertHeld() {
      if (readText(file) !== text) throw new Error(`Stack ${stack} lost its lock; another command is changing it.`);
    },
    release() {
      if (readText(file) === text) rmSync(file, { force: true });
    },
  };
}

interface Holder {
  pid: number;
  started: string | undefined;
  since: string;
}

function parse(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Holder;
    return Number.isInteger(holder.pid) ? holder : undefined;
  } catch {
    return undefined;
  }
}

function isRunning(holder: Holder): boolean {
  const started = startTime(holder.pid);
  return started !== undefined && (holder.started === undefined || holder.started === started);
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/**
 * Moves the lock aside before removing it. Another command may have replaced the stale lock meanwhile; then the moved
 * file is that command's lock and is put back.
 */
function removeStale(file: string, stale: string, aside: string): void {
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  if (readText(aside) !== stale) tryLink(aside, file);
  rmSync(aside, { force: true });
}

/** Deletes the temporary state files of killed commands; no other command writes while this one holds the lock. */
function removeLeftovers(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (/^state\..*\.tmp$/.test(name)) rmSync(join(directory, name), { force: true });
  }
}

/** The start time, which differs from that of a later process with the same id; undefined without such a process. */
function startTime(pid: number): string | undefined {
  const stat = process.platform === "linux" ? readText(`/proc/${pid}/stat`) : undefined;
  if (stat !== undefined) {
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  }
  if (process.platform === "linux") return undefined;
  try {
    const line = execFileSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], { encoding: "utf8" }).trim();
    return line === "" || line.startsWith("Z") ? undefined : line.replace(/^\S+\s+/, "");
  } catch {
    return undefined;
  }
}

function now(): string {
  return new Date().toISOString();
}
