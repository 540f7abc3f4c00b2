import type { Engine } from "../engines";
import type { LastRun } from "../last-run";
import { type Stack, shownOverride } from "../stack";
import type { Use } from "../state-directory";
import type { Output } from "./output";

/** One verb of the command line. */
export interface Verb {
  name: string;
  /** As shown by --help: `<what>` is needed, `[name...]` is not. */
  arguments?: string;
  summary: string;
  /** Of the state directory. */
  use: Use;
  /** Beyond the options that every verb has. */
  options?: { flags: string; description: string }[];
  /** What is wrong with the arguments, if anything; asked before anything else is done. */
  check?(call: Pick<Call, "arguments" | "options">): string[];
  /** The exit status: 0 done, 1 failed, 130 interrupted. */
  run(call: Call): Promise<number>;
}

export interface Call {
  arguments: string[];
  options: Options;
  stack: Stack;
  /** The engine that runs the program. @throws UsageError, StateError */
  engine(): Engine;
  /** Of this stack: state.json and, below, its cloud. */
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

/** How a person types a command, with the options that lead to the same stack, and those of the last run that it goes on with. */
export function typed(call: Pick<Call, "stack">, ...words: string[]): string {
  const { stack } = call;
  const runsProgram = words[0] === "up" || words[0] === "preview";
  const options = [
    ...(stack.name === "local" ? [] : ["--stack", stack.name]),
    ...stack.location,
    ...(runsProgram ? stack.overrides.flatMap((each) => ["--config", shownOverride(each)]) : []),
  ];
  return ["npm run local --", ...words, ...options.map(quoted)].join(" ");
}

/** The call with what the last run was given: without it, `up` would be another release. */
export function goingOn(call: Call, lastRun: LastRun | undefined): Call {
  const overrides = call.stack.overrides.length > 0 ? call.stack.overrides : (lastRun?.overrides ?? []);
  return { ...call, stack: { ...call.stack, overrides } };
}

/** A word as a shell reads it back. */
export function quoted(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
