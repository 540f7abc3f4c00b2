import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/**
 * Identifies a process of this machine. A process id alone may be reused by another process; a process id together with
 * its start time is unique.
 */
export interface ProcessRecord {
  pid: number;
  /** The start time as opaque text; it is only compared with later results of {@link startOf}. */
  started: string;
}

/**
 * The start time of a process, as opaque text that also differs between boots of the machine; undefined when there is
 * no such process or it is a zombie.
 */
export function startOf(pid: number): string | undefined {
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  return process.platform === "linux" ? startOnLinux(pid) : startByPs(pid);
}

export function describeProcess(pid: number): ProcessRecord | undefined {
  const started = startOf(pid);
  return started === undefined ? undefined : { pid, started };
}

export function isRunning(record: ProcessRecord): boolean {
  return startOf(record.pid) === record.started;
}

/** Sends a signal to the process if it is still the recorded one; false when that has ended. */
export function signalProcess(record: ProcessRecord, signal: NodeJS.Signals): boolean {
  return isRunning(record) && send(record.pid, signal);
}

/**
 * Sends a signal to the process group that the recorded process leads, even if the leader has ended and its children
 * have not. The system does not reuse a process id while a group with that id has members, so a group without its
 * leader is still the recorded one, unless the machine was restarted, which the first half of `started` shows.
 */
export function signalGroup(record: ProcessRecord, signal: NodeJS.Signals | 0): boolean {
  const now = startOf(record.pid);
  if (now !== undefined ? now !== record.started : !sameBoot(record)) return false;
  return send(-record.pid, signal);
}

/** Waits until the process has ended; false after `timeout` milliseconds. */
export async function waitForEnd(record: ProcessRecord, timeout: number): Promise<boolean> {
  return waitUntil(() => !isRunning(record), timeout);
}

/** Kills the recorded process and all descendants in its group, and waits up to `timeout` ms (10 000) for their end. */
export async function killGroup(record: ProcessRecord, timeout = 10_000): Promise<boolean> {
  signalGroup(record, "SIGKILL");
  return waitUntil(() => !isRunning(record) && !groupHasMembers(record), timeout);
}

export async function waitUntil(condition: () => boolean, timeout: number): Promise<boolean> {
  const end = Date.now() + timeout;
  for (let pause = 2; !condition(); pause = Math.min(pause * 2, 50)) {
    if (Date.now() >= end) return false;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  return true;
}

/** Whether the group has running members. Zombies don't count: a container's first process may never reap them. */
function groupHasMembers(record: ProcessRecord): boolean {
  return (
    signalGroup(record, 0) && (process.platform === "linux" ? membersOnLinux(record.pid) : membersByPs(record.pid))
  );
}

function membersOnLinux(group: number): boolean {
  return readdirSync("/proc").some((entry) => {
    const fields = /^\d+$/.test(entry) ? statFields(Number(entry)) : undefined;
    return fields !== undefined && Number(fields[2]) === group && !isZombie(fields[0]);
  });
}

function membersByPs(group: number): boolean {
  return execFileSync("ps", ["-eo", "pgid=,stat="], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .some(([pgid, state]) => Number(pgid) === group && !isZombie(state));
}

/** Sends a signal; false if there is no such process or it belongs to another user. */
function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ESRCH" || code === "EPERM") return false;
    throw error;
  }
}

let bootId: string | undefined;

function boot(): string {
  if (bootId === undefined) {
    try {
      bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    } catch {
      bootId = "";
    }
  }
  return bootId;
}

function sameBoot(record: ProcessRecord): boolean {
  return process.platform !== "linux" || record.started.startsWith(`${boot()}/`);
}

function startOnLinux(pid: number): string | undefined {
  const fields = statFields(pid);
  // Field 22 of the file is the start time in clock ticks since the boot.
  return fields === undefined || isZombie(fields[0]) ? undefined : `${boot()}/${fields[19]}`;
}

/** The fields of /proc/PID/stat from field 3 on. Field 2, the name, may itself contain spaces and parentheses. */
function statFields(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

function isZombie(state: string | undefined): boolean {
  return state === undefined || state.startsWith("Z") || state.startsWith("X");
}

function startByPs(pid: number): string | undefined {
  try {
    const line = execFileSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], {
      encoding: "utf8",
      env: { ...process.env, LC_ALL: "C" },
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
    const [state, ...started] = line.split(/\s+/);
    return isZombie(state) ? undefined : started.join(" ");
  } catch {
    return undefined;
  }
}
