import { type Commands, closingLines, Failure, withCommands } from "../failures/failure";
import type { Log } from "../log";

/** The exit status when the migrator itself has a defect. */
const DEFECT_EXIT = 70;

/**
 * Logs why a run has failed.
 * @returns the exit status of the process
 */
export function reportFailure(error: unknown, log: Log, commands: Commands): number {
  if (error instanceof Failure) {
    const { code, exit, message, detail, database, next } = error;
    log.event("failed", closingLines(error, commands).split("\n"), {
      code,
      exit,
      what: message,
      detail,
      database,
      next: withCommands(next, commands),
    });
    return exit;
  }
  const { stack, message } = error as Error;
  log.event(
    "failed",
    [
      ...`FAILED (defect): ${stack ?? message}`.split("\n"),
      "This is a mistake in the migrator itself; the next run goes on from what the database has.",
    ],
    {
      code: "defect",
      exit: DEFECT_EXIT,
    },
  );
  return DEFECT_EXIT;
}
