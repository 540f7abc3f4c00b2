import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, statSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import type { Writable } from "node:stream";
import { readJson, writeAtomically } from "../../../text/atomic";
import { describeProcess, killGroup, type ProcessRecord, signalProcess } from "../process";

export interface ProcessPlan {
  argv: string[];
  env: Record<string, string>;
  cwd: string;
  /** The log file; both output streams are appended to it. */
  log: string;
  /** The file that records the process, so that a later background process finds it. */
  record: string;
}

export interface Exit {
  exitCode: number;
  signal?: number;
  /** The reason why the program never ran, such as a missing folder or permission. */
  startError?: string;
}

/**
 * One run of a container: a process that leads its own group, so that its children are killed with it.
 *
 * The process waits for a line on file descriptor 3 before it executes the container's program. The line is sent after
 * the process was recorded. If the background process ends before, the descriptor closes and the program never runs. So
 * a program never runs without a record.
 */
export class ContainerProcess {
  /** Resolves when the process and all members of its group have ended. */
  readonly ended: Promise<Exit>;
  /** The size of the log in bytes when this run began. */
  readonly logStart: number;
  private readonly process: ProcessRecord | undefined;

  constructor(plan: ProcessPlan) {
    mkdirSync(dirname(plan.log), { recursive: true, mode: 0o700 });
    const log = openSync(plan.log, "a", 0o600);
    this.logStart = statSync(plan.log).size;
    const child = spawn("/bin/sh", ["-c", 'read -r go <&3 && exec "$@" 3<&-', "sh", ...plan.argv], {
      cwd: plan.cwd,
      env: plan.env,
      detached: true,
      stdio: ["ignore", log, log, "pipe"],
    });
    closeSync(log);
    this.process = child.pid === undefined ? undefined : describeProcess(child.pid);

    this.ended = new Promise<Exit>((exited) => {
      child.once("error", (error) => exited({ exitCode: 128, startError: error.message }));
      child.once("exit", (code, signal) => {
        const number = signal ? constants.signals[signal] : undefined;
        exited(number === undefined ? { exitCode: code ?? 1 } : { exitCode: 128 + number, signal: number });
      });
    }).then(async (exit) => {
      // This is repeated without a limit, because the same program may be started again after this end.
      while (this.process && !(await killGroup(this.process)))
        console.error(`process group ${this.process.pid} lives on`);
      rmSync(plan.record, { force: true });
      return exit;
    });

    const gate = child.stdio[3] as Writable | undefined;
    gate?.on("error", () => undefined);
    try {
      if (!this.process) throw new Error("the process is gone");
      writeAtomically(plan.record, JSON.stringify(this.process));
      gate?.end("go\n");
    } catch {
      // The process could not be recorded, so it must not run. Its end is reported like any other.
      gate?.destroy();
    }
  }

  terminate(): void {
    if (this.process) signalProcess(this.process, "SIGTERM");
  }

  async kill(): Promise<void> {
    if (this.process) await killGroup(this.process);
  }
}

/** Kills the processes that an ended background process left, as recorded below this folder of pods. */
export async function killLeftovers(podsDirectory: string): Promise<void> {
  const records = recordsBelow(podsDirectory);
  await Promise.all(
    records.map(async (file) => {
      const record = readJson<ProcessRecord>(file);
      if (record && !(await killGroup(record))) throw new Error(`process ${record.pid} of ${file} could not be ended`);
      rmSync(file, { force: true });
    }),
  );
}

export function recordFile(podDirectory: string, container: string): string {
  return join(podDirectory, `${container}.process.json`);
}

function recordsBelow(podsDirectory: string): string[] {
  const list = (folder: string) => {
    try {
      return readdirSync(folder).map((entry) => join(folder, entry));
    } catch {
      return [];
    }
  };
  return list(podsDirectory)
    .flatMap(list)
    .flatMap(list)
    .filter((file) => file.endsWith(".process.json"));
}
