import { shellWord } from "../../text/shell-word";
import type { Engine } from "../engines";
import type { LastRun } from "../last-run";
import { type Stack, shownOverride } from "../stack";
import type { Use } from "../state-directory";
import type { Output } from "./output";

/** One verb of the command line. */
export interface Verb {
  name: string;
  /** The arguments as shown by --help: `<what>` is required, `[name...]` is optional. */
  arguments?: string;
  summary: string;
  /** The command's use of the state directory. */
  use: Use;
  /** The options that the verb has in addition to those of every verb. */
  options?: { flags: string; description: string }[];
  /** True if the verb passes options that it doesn't know on to another program. */
  passesOptions?: boolean;
  /** True if the verb has the `--config` settings of the last command when none are typed. */
  goesOn?: boolean;
  /** Returns the problems of the arguments; it is called before anything else is done. */
  check?(call: Pick<Call, "arguments" | "options">): string[];
  /** Returns the exit status: 0 for success, 1 for a failure, 130 for an interruption. */
  run(call: Call): Promise<number>;
}

export interface Call {
  arguments: string[];
  options: Options;
  stack: Stack;
  /** Returns the engine that runs the program. @throws UsageError, StateError */
  engine(): Engine;
  /** The stack's directory. It contains state.json and, in `cloud/`, the local cloud. */
  stackDir: string;
  cloudDir: string;
  output: Output;
}

export interface Options {
  json: boolean;
  instance?: string | undefined;
  admin: boolean;
  follow: boolean;
}

/**
 * The command line that the user types for these words. It contains the options that select this stack and, for `up`
 * and `preview`, the settings given with --config.
 */
export function typed(call: Pick<Call, "stack">, ...words: string[]): string {
  const { stack } = call;
  const runsProgram = words[0] === "up" || words[0] === "preview";
  const options = [
    ...(stack.name === "local" ? [] : ["--stack", stack.name]),
    ...stack.location,
    ...(runsProgram ? stack.overrides.flatMap((each) => ["--config", shownOverride(each)]) : []),
  ];
  return ["npm run local --", ...words, ...options.map(shellWord)].join(" ");
}

/** The beginning of a command as the user types it, to which whoever names it adds the stack. */
export function byHandCommand({ stack }: Pick<Call, "stack">, verb: "ops" | "restore" | "up"): string {
  return ["npm run local --", verb, ...stack.location.map(shellWord)].join(" ");
}

/** The call with the last run's --config settings if it has none itself; without them `up` would change the release. */
export function goingOn(call: Call, lastRun: LastRun | undefined): Call {
  const overrides = call.stack.overrides.length > 0 ? call.stack.overrides : (lastRun?.overrides ?? []);
  return { ...call, stack: { ...call.stack, overrides } };
}
