import type { Log } from "../log";
import type { Settings } from "../settings";
import { waitForMigrations } from "../verbs/wait";
import { readTarget } from "./read-target";

/**
 * Runs the verb `wait`, which needs neither a folder of migrations nor a session of its own.
 * @returns the exit status
 */
export async function runWait(settings: Settings, log: Log): Promise<number> {
  const { awaited, waitTimeout } = settings;
  const target = readTarget(settings, log);
  // A process with the id 1 ignores signals that it doesn't handle. There is nothing to undo.
  for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => process.exit(143));
  await waitForMigrations(target, { migrations: awaited, timeout: waitTimeout }, log);
  return 0;
}
