import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/**
 * A process of this machine that can be recognised later: a pid alone is reused by the next stranger, a pid together
 * with the moment it started is not.
 */
export interface ProcessRecord {
  pid: number;
  /** Opaque; only ever compared with what {@link startOf} says later. */
  started: string;
}

/**
 * When the process started, as an opaque word that also tells reboots apart; undefined when there is no such process, or
 * only its unreaped remains (a zombie runs nothing).
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

/** Signals the process if it is still the one that was recorded; false when it is not there any more. */
export function signalProcess(record: ProcessRecord, signal: NodeJS.Signals): boolean {
  return isRunning(record) && send(record.pid, signal);
}

/**
 * Signals the process group that the recorded process leads, also when the leader is gone and left children behind.
 * A pid that leads a group is not given away while the group has members, so a group whose leader is dead is still the
 * recorded one — unless the machine was restarted, which the first half of `started` tells.
 */
export function signalGroup(record: ProcessRecord, signal: NodeJS.Signals | 0): boolean {
  const now = startOf(record.pid);
  if (now !== undefined ? now !== record.started : !sameBoot(record)) return false;
  return send(-record.pid, signal);
}

/** Waits until the process is gone; false after `timeout` milliseconds. */
export async function waitForEnd(record: ProcessRecord, timeout: number): Promise<boolean> {
  return waitUntil(() => !isRunning(record), timeout);
}

/** Ends the recorded process and all its descendants that stayed in its group, at once, and waits until they are gone. */
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

/** Zombies do not count: in a container whose first process reaps nobody they stay for ever. */
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

/** Another user's process is none of ours, whatever the record says. */
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
  // Field 22 of the file, in clock ticks since the boot.
  return fields === undefined || isZombie(fields[0]) ? undefined : `${boot()}/${fields[19]}`;
}

/** /proc/PID/stat from field 3 on; the name in field 2 may itself hold spaces and brackets. */
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
