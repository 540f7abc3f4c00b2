import { execFile } from "node:child_process";
import { promises as fs } from "node:fs";
import { promisify } from "node:util";

export interface RunningProcess {
  pid: number;
  /** The arguments joined by spaces, or the title that the process has set. */
  command: string;
}

const run = promisify(execFile);

/** Lists all processes, on Linux from /proc because slim images have no `ps`, elsewhere with `ps`. */
export async function listProcesses(): Promise<RunningProcess[]> {
  if (process.platform !== "linux") {
    const { stdout } = await run("ps", ["-A", "-ww", "-o", "pid=,command="], { maxBuffer: 64 * 1024 * 1024 });
    return stdout.split("\n").flatMap((line) => {
      const match = line.match(/^\s*(\d+)\s+(.*)$/);
      return match ? [{ pid: Number(match[1]), command: match[2]! }] : [];
    });
  }
  const pids = (await fs.readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map(async (pid) => ({ pid, command: (await commandOf(pid)) ?? "" })));
  return found.filter((entry) => entry.command !== "");
}

/** The command line of a process; undefined if it has ended or is a zombie. */
export async function commandOf(pid: number): Promise<string | undefined> {
  try {
    if (process.platform === "linux") {
      const raw = await fs.readFile(`/proc/${pid}/cmdline`, "utf8");
      return raw.replace(/\0+$/, "").replaceAll("\0", " ") || undefined;
    }
    const { stdout } = await run("ps", ["-ww", "-o", "command=", "-p", String(pid)]);
    const command = stdout.trim();
    return command === "" || command === "<defunct>" ? undefined : command;
  } catch {
    return undefined;
  }
}

/** Sends a signal; false if the process has already ended. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** Waits until `condition` returns a result, and tries again every `every` ms; undefined after `timeout` ms. */
export async function until<T>(
  condition: () => Promise<T | undefined | false>,
  { timeout, every = 20, abort }: { timeout: number; every?: number; abort?: AbortSignal | undefined },
): Promise<T | undefined> {
  const deadline = Date.now() + timeout;
  for (;;) {
    abort?.throwIfAborted();
    const result = await condition();
    if (result !== undefined && result !== false) return result;
    if (Date.now() >= deadline) return undefined;
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}
