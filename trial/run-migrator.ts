import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { formatDuration } from "../text/short-duration";
import { TrialUnavailable } from "./unavailable";

/** One line of the migrator's log with `--json`. */
export interface MigratorEvent {
  readonly event: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** The event with which a failed run ends. It contains no value of a row. */
export interface FailedEvent extends MigratorEvent {
  readonly code: string;
  readonly what: string;
  readonly detail?: string;
}

/** What a run of the migrator logged. */
export interface MigratorRun {
  readonly events: readonly MigratorEvent[];
  /** Why it failed; undefined: it succeeded, or it was killed. */
  readonly failed?: FailedEvent;
}

/** The migrator and the migrations that it gets, as files. */
export interface MigratorFiles {
  readonly program: string;
  /** A folder with payload-0, payload-1, … */
  readonly payload: string;
}

/** The time in milliseconds after which a run is killed. */
const limit = 300_000;

/**
 * Runs `migrator deploy` as a process of its own, as a Job does.
 * @param killAt called with each event; when it returns true, the process is killed by SIGKILL
 * @throws TrialUnavailable if the run takes too long, or ends without a reason
 */
export async function runDeploy(
  { program, payload }: MigratorFiles,
  url: string,
  options: readonly string[] = [],
  killAt: (event: MigratorEvent) => boolean = () => false,
): Promise<MigratorRun> {
  const args = [program, "deploy", "--payload", payload, "--json", "--connect-wait", "1s", ...options];
  const child = spawn(process.execPath, args, {
    // Variables of the caller could lead to another database, so none of them is passed on.
    env: { PATH: process.env["PATH"], DATABASE_URL: url },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: limit,
    killSignal: "SIGKILL",
  });
  const closed = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-2000);
  });
  const events: MigratorEvent[] = [];
  let isKilled = false;
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as MigratorEvent;
    events.push(event);
    if (isKilled || !killAt(event)) continue;
    isKilled = child.kill("SIGKILL");
  }
  const { code, signal } = await closed;
  const failed = events.find((event): event is FailedEvent => event.event === "failed");
  if (code === 0 || isKilled) return { events };
  if (signal !== null) throw new TrialUnavailable(`the migrations took longer than ${formatDuration(limit)}`);
  if (failed) return { events, failed };
  throw new TrialUnavailable(`the migrator ended with status ${code}: ${errors.trim().split("\n").at(-1)}`);
}
