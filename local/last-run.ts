import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { readJson, writeAtomically } from "../text/atomic";
import { describeProcess, isRunning, type ProcessRecord } from "./cloud/process";

/** The result of the last command that changed the stack; `status` shows it. */
export interface LastRun {
  verb: string;
  /** The command's `--config` settings, which a proposed next command repeats. */
  overrides?: string[] | undefined;
  startedAt: string;
  /** Missing while the command runs, and also after it was killed. */
  endedAt?: string | undefined;
  ok?: boolean | undefined;
  failed: FailedStep[];
  /** The errors that belong to no step, such as those of settings or of the program itself. */
  errors: string[];
  by?: ProcessRecord | undefined;
}

interface FailedStep {
  type: string;
  name: string;
  op: string;
  error: string;
}

const file = (stackDir: string) => join(stackDir, "last-run.json");

export function startRun(stackDir: string, verb: string, overrides: string[]): LastRun {
  const run: LastRun = {
    verb,
    overrides,
    startedAt: new Date().toISOString(),
    failed: [],
    errors: [],
    by: describeProcess(process.pid),
  };
  write(stackDir, run);
  return run;
}

export function endRun(stackDir: string, run: LastRun, ok: boolean): void {
  write(stackDir, { ...run, ok, endedAt: new Date().toISOString(), by: undefined });
}

function write(stackDir: string, run: LastRun): void {
  mkdirSync(stackDir, { recursive: true, mode: 0o700 });
  writeAtomically(file(stackDir), `${JSON.stringify(run, undefined, 1)}\n`);
}

export function readLastRun(stackDir: string): LastRun | undefined {
  const run = readJson<LastRun>(file(stackDir), ["verb", "startedAt"]);
  return run && { ...run, failed: run.failed ?? [], errors: run.errors ?? [] };
}

export function stateOf(run: LastRun): "running" | "killed" | "succeeded" | "failed" {
  if (run.endedAt === undefined) return run.by && isRunning(run.by) ? "running" : "killed";
  return run.ok ? "succeeded" : "failed";
}
