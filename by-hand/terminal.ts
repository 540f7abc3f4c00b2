import { printable } from "../text/printable";
import { CommandFailure } from "./failure";
import type { Output } from "./run-job";

/** One key press may arrive twice within this time: once from the terminal and once passed on by npm. */
const ONE_PRESS_MS = 1_000;

/** The terminal: results go to standard output, and what a person reads meanwhile to standard error. */
export const terminal: Output = {
  log: (line) => process.stdout.write(`${line}\n`),
  say: (line) => process.stderr.write(`${printable(line)}\n`),
};

/**
 * Turns the first Ctrl-C, SIGTERM or SIGHUP into an aborted signal. The second one ends this command at once.
 * @param leaving returns what is said then
 */
export function stopSignal(leaving: () => string, say: (line: string) => void): AbortSignal {
  const controller = new AbortController();
  let first = 0;
  const stop = (name: NodeJS.Signals) => {
    if (controller.signal.aborted && Date.now() - first < ONE_PRESS_MS) return;
    if (controller.signal.aborted) {
      say(leaving());
      process.exit(130);
    }
    first = Date.now();
    controller.abort(name);
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, stop);
  return controller.signal;
}

/** Runs a command, whose result is the exit status of this process. A failure is shown in its three parts. */
export function runCommand(command: () => Promise<number>): void {
  void command().then(
    (status) => {
      process.exitCode = status;
    },
    (error: unknown) => {
      if (!(error instanceof CommandFailure)) throw error;
      process.stderr.write(printable(error.lines));
      process.exitCode = error.exit;
    },
  );
}
