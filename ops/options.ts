import { EXIT } from "../by-hand/failure";
import {
  type Given,
  helpLine,
  helpOptions,
  type Options,
  parseOptions,
  STACK_OPTIONS,
  type StackOptions,
  stackOptions,
  wrongCommand,
} from "../by-hand/options";
import { commandLine } from "../text/command-line";
import { OPS_VERBS, type OpsVerbName, verbOf } from "./verbs";

/** A command as it was typed. */
export interface OpsCommand extends StackOptions {
  readonly verb: OpsVerbName;
  /** The file of `sql`. */
  readonly file: string | undefined;
  readonly given: Given;
}

const NAMES = Object.keys(OPS_VERBS);

/**
 * Reads the command line.
 * @param stacks the names of the stacks that have settings, for the messages
 * @throws CommandFailure with every mistake at once
 */
export function readCommand(args: readonly string[], stacks: readonly string[]): OpsCommand {
  const mistakes: string[] = [];
  const [name = "", ...rest] = args;
  const verb = verbOf(name);
  if (!verb)
    mistakes.push(`${name === "" ? "The verb is missing" : `unknown verb "${name}"`}; allowed: ${NAMES.join(", ")}`);
  const own = verb?.options ?? allOptions();
  const { values, positionals } = parseOptions(rest, { ...STACK_OPTIONS, ...own }, verb ? name : undefined, mistakes);
  const [file, ...others] = verb?.file ? positionals : [undefined, ...positionals];
  if (verb?.file && file === undefined) mistakes.push(`${name} needs the file to run, such as: ${name} fix.sql`);
  for (const other of verb ? others : []) mistakes.push(`"${other}" is one word too many`);
  const stack = stackOptions(values, stacks, mistakes);
  mistakes.push(...missing(name, values));
  if (mistakes.length > 0 || !verb) throw wrongCommand(mistakes, `${commandLine("ops")} help`);
  const given = Object.fromEntries(Object.entries(values).filter(([option]) => Object.hasOwn(own, option)));
  return { verb: name as OpsVerbName, file, given, ...stack };
}

/** Returns what a verb needs and was not given, and what of its options excludes each other. */
function missing(verb: string, values: Given): string[] {
  if (verb === "baseline" && values["through"] === undefined)
    return ["baseline needs --through MIGRATION, the last one that the database already has"];
  const resolutions = ["diagnose", "applied", "rolled-back"].filter((each) => values[each] !== undefined);
  if (verb === "resolve" && resolutions.length !== 1)
    return ["resolve needs one of --diagnose, --applied and --rolled-back, with the name of a migration"];
  return [];
}

function allOptions(): Options {
  return Object.assign({}, ...Object.values(OPS_VERBS).map(({ options }) => options));
}

/** Returns the text that `help` prints. */
export function helpText(): string {
  return [
    `${commandLine("ops")} VERB --stack NAME [options]`,
    "",
    "Runs a verb of the migrator as a Kubernetes Job, with the stack's own settings, image and Secret.",
    "",
    ...Object.entries(OPS_VERBS).flatMap(([name, verb]) => [
      helpLine(`${name}${"file" in verb ? " FILE" : ""}`, verb.text),
      ...helpOptions(verb.options).map((each) => `  ${each}`),
    ]),
    "",
    ...helpOptions(STACK_OPTIONS),
    "",
    `Exit status: the verb's own (docs/errors.md); ${EXIT.usage} wrong command line or settings, ${EXIT.busy} a release is running,`,
    `${EXIT.cluster} the cluster can't be reached or can't run the Job, 130 Ctrl-C.`,
    "",
  ].join("\n");
}
