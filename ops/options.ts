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
import { commandByHand } from "../by-hand/typed-command";
import { HOTFIX_NAME, HOTFIX_NAME_RULE } from "../migrations/history/hotfix";
import { OPS_VERBS, type OpsVerbName, verbOf } from "./verbs";

/** A command as it was typed. */
export interface OpsCommand extends StackOptions {
  readonly verb: OpsVerbName;
  /** The file of `sql`. */
  readonly file: string | undefined;
  /** The migration of `revert`. */
  readonly migration: string | undefined;
  readonly given: Given;
}

const NAMES = Object.keys(OPS_VERBS);

/** What a verb needs that has an argument, for the message about a missing one. */
const NEEDED = {
  FILE: (verb: string) => `the file to run, such as: ${verb} fix.sql`,
  MIGRATION: (verb: string) => `the migration, such as: ${verb} 20240131120000_add_index`,
};

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
  const [argument, ...others] = verb?.argument ? positionals : [undefined, ...positionals];
  if (verb?.argument && argument === undefined) mistakes.push(`${name} needs ${NEEDED[verb.argument](name)}`);
  for (const other of verb ? others : []) mistakes.push(`"${other}" is one word too many`);
  const stack = stackOptions(values, stacks, mistakes);
  mistakes.push(...missing(name, values));
  if (mistakes.length > 0 || !verb) throw wrongCommand(mistakes, `${commandByHand("ops")} help`);
  const given = Object.fromEntries(Object.entries(values).filter(([option]) => Object.hasOwn(own, option)));
  const [file, migration] = verb.argument === "MIGRATION" ? [undefined, argument] : [argument, undefined];
  return { verb: name as OpsVerbName, file, migration, given, ...stack };
}

/** Returns what a verb needs and was not given, what of its options excludes each other, and wrong values. */
function missing(verb: string, values: Given): string[] {
  const { hotfix, name, through, write } = values;
  if (verb === "adopt" && name === undefined)
    return ["adopt needs --name NAME, the name of the new migration, such as: adopt --name add_email_index"];
  if (
    verb === "baseline" &&
    ((through === undefined) === (name === undefined) || (write === true) !== (name !== undefined))
  )
    return [
      "baseline needs --through MIGRATION, the last one that the database already has; or --write --name NAME, which writes today's schema as the first one",
    ];
  if (verb === "revert" && values["plan"] === undefined)
    return ["revert needs --plan, which shows the migration that takes another one back"];
  for (const [option, value] of Object.entries({ hotfix, name }))
    if (typeof value === "string" && !HOTFIX_NAME.test(value))
      return [`--${option} is "${value}", and ${HOTFIX_NAME_RULE}`];
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
    `${commandByHand("ops")} VERB --stack NAME [options]`,
    "",
    "Runs a verb of the migrator as a Kubernetes Job, with the stack's own settings, image and Secret;",
    "rehearse tries the migrations on a copy of the database, and prune removes old backups.",
    "",
    ...Object.entries(OPS_VERBS).flatMap(([name, verb]) => [
      helpLine(`${name}${"argument" in verb ? ` ${verb.argument}` : ""}`, verb.text),
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
