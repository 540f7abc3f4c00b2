import { execFileSync } from "node:child_process";
import { describeProcess, type ProcessRecord } from "../../local/cloud/process";

/** Whatever the process has started, and what that has started: plugins and programs are in groups of their own. */
export function descendantsOf(pid: number): ProcessRecord[] {
  const lines = execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  const processes = lines.map((line) => line.trim().split(/\s+/).map(Number) as [pid: number, parent: number]);
  const found: number[] = [];
  for (let parents = [pid]; parents.length > 0; ) {
    parents = processes.flatMap(([child, parent]) => (parents.includes(parent) ? [child] : []));
    found.push(...parents);
  }
  return found.flatMap((each) => describeProcess(each) ?? []);
}
