import { commandLine } from "../text/command-line";

/** The variables by which the local cloud gives its own commands, which lead to its stack. */
const VARIABLES = { ops: "RELEASE_OPS_COMMAND", restore: "RELEASE_RESTORE_COMMAND" } as const;

/** Returns the beginning of a command by hand, as the reader of a message types it. */
export function commandByHand(command: keyof typeof VARIABLES): string {
  return process.env[VARIABLES[command]] || commandLine(command);
}
