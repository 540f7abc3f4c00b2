import { execFileSync } from "node:child_process";
import { startOf } from "../../../local/cloud/process";

/** Pids of running processes on whose command line the text is; this process and `ps` itself excepted. */
export function processesNaming(text: string): number[] {
  return commandLines()
    .filter(({ pid, command }) => command.includes(text) && pid !== process.pid && startOf(pid) !== undefined)
    .map(({ pid }) => pid);
}

export function commandLines(): { pid: number; command: string }[] {
  return execFileSync("ps", ["-A", "-ww", "-o", "pid=,args="], { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 })
    .split("\n")
    .flatMap((line) => {
      const [, pid, command] = /^\s*(\d+)\s(.*)$/.exec(line) ?? [];
      return pid && command ? [{ pid: Number(pid), command }] : [];
    });
}
