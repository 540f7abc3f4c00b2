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
import { parseDuration } from "../text/short-duration";
import type { IntoSecret } from "./target";

/** What a command line asks for. */
export type RestoreCommand = StackOptions & {
  /** The longest wait for one step of RDS, in milliseconds. */
  readonly timeout: number;
} & (
    | {
        readonly verb: "restore";
        readonly to: string | undefined;
        readonly name: string | undefined;
        /** Whether to show the calls and make none. */
        readonly plan: boolean;
        /** Whether the copy is looked at over SQL, by a Job in the cluster. */
        readonly verify: boolean;
        /** The file with the outputs of the stack. */
        readonly outputs: string | undefined;
        /** The file with the private key of age, for a dump. */
        readonly identity: string | undefined;
        /** The Secret of the database that takes a dump; undefined: one is made on the source's server. */
        readonly into: IntoSecret | undefined;
        /** How the app is moved to the copy afterwards; undefined: it isn't. */
        readonly switch: SwitchOptions | undefined;
      }
    | {
        readonly verb: "check";
        readonly outputs: string | undefined;
        readonly identity: string | undefined;
      }
    | { readonly verb: "list" }
    | { readonly verb: "remove"; readonly name: string; readonly unprotect: boolean }
    | ({
        readonly verb: "switch";
        readonly name: string;
        readonly plan: boolean;
        readonly outputs: string | undefined;
      } & SwitchOptions)
    | ({ readonly verb: "switch-back"; readonly plan: boolean } & SwitchOptions)
  );

/** How the app is moved to a copy, or back. */
export interface SwitchOptions {
  /** The image that is rolled out; undefined: the one that the stack's outputs tell. */
  readonly image: string | undefined;
  /** Whether rows that are lost by it are accepted. */
  readonly acceptLoss: boolean;
  /** Whether `up` runs elsewhere. */
  readonly noUp: boolean;
}

const TIMEOUT = "3h";

const IDENTITY: Options = {
  identity: { value: "FILE", text: "for an encrypted dump: the file with the private key of age, which stays here" },
};

const WAIT: Options = { timeout: { value: "TIME", text: `longest wait for each step (default: ${TIMEOUT})` } };

const OUTPUTS: Options = {
  outputs: {
    value: "FILE",
    text: "the stack's outputs, as `pulumi stack output --json` prints them (default: the Pulumi CLI is asked)",
  },
};

const MOVING: Options = {
  "accept-loss": { text: "go on although rows are lost that were written since the backup" },
  "no-up": { text: "show the commands that change the settings and release the app, and don't run them" },
};

const IMAGE: Options = {
  image: { value: "IMAGE", text: "the image to roll out (default: of the last release with the copy's schema)" },
};

const PODS_TIMEOUT = "10m";

const PODS_WAIT: Options = {
  timeout: { value: "TIME", text: `longest wait for the app's pods to end (default: ${PODS_TIMEOUT})` },
};

/** The options of each verb, beside those of every command. */
const OPTIONS: Record<RestoreCommand["verb"], Options> = {
  restore: {
    to: {
      value: "POINT",
      text: "a backup, a time such as 2026-11-21T15:04:05Z, or before-migration (default: the backup of the live release)",
    },
    plan: { text: "show every call with its parameters, and make none" },
    name: { value: "NAME", text: "the name of the copy (default: SOURCE-restored-DATE-TIME)" },
    ...OUTPUTS,
    ...IDENTITY,
    into: {
      value: "SECRET[/KEY]",
      text: "for a dump: the Secret with the URL of an empty database (key: direct-url), in place of one beside the source",
    },
    "no-verify": { text: "don't look at the copy over SQL, which a Job in the cluster does" },
    switch: { text: "then move the app to the copy, as `switch` does; with its options" },
    ...{ ...IMAGE, ...MOVING, ...WAIT },
  },
  check: { check: { text: "the same as the verb" }, ...OUTPUTS, ...IDENTITY, ...WAIT },
  list: {},
  remove: { unprotect: { text: "lift the copy's protection from deletion first" }, ...WAIT },
  switch: {
    plan: { text: "show what would be done and what would be lost, and change nothing" },
    ...{ ...IMAGE, ...MOVING, ...OUTPUTS, ...PODS_WAIT },
  },
  "switch-back": { plan: { text: "show what would be done, and change nothing" }, ...MOVING, ...PODS_WAIT },
};

/** The verbs that have the name of a copy. */
const OF_COPY: readonly string[] = ["remove", "switch"];

/**
 * Reads the command line.
 * @param stacks the names of the stacks that have settings, for the messages
 * @throws CommandFailure with every mistake at once
 */
export function readRestoreCommand(args: readonly string[], stacks: readonly string[]): RestoreCommand {
  const mistakes: string[] = [];
  const verb = verbIn(args);
  const { values, positionals } = parseOptions(args, { ...STACK_OPTIONS, ...OPTIONS[verb] }, verb, mistakes);
  // A check is asked for by the verb, or by an option of the same name.
  const words =
    verb === "restore" || (verb === "check" && positionals[0] !== verb) ? positionals : positionals.slice(1);
  const [name, ...others] = OF_COPY.includes(verb) ? words : [undefined, ...words];
  if (OF_COPY.includes(verb) && name === undefined)
    mistakes.push(`${verb} needs the name of a copy, which \`list\` shows`);
  for (const other of others)
    mistakes.push(
      verb === "restore"
        ? `"${other}" is too much; a snapshot or a time follows --to`
        : `"${other}" is one word too many`,
    );
  const timeout = readTimeout(values, verb.startsWith("switch") ? PODS_TIMEOUT : TIMEOUT, mistakes);
  const stack = stackOptions(values, stacks, mistakes);
  if (mistakes.length > 0) throw wrongCommand(mistakes, `${commandByHand("restore")} --help`);
  const shared = { ...stack, timeout };
  const text = (option: string) => (typeof values[option] === "string" ? values[option] : undefined);
  if (verb === "check") return { ...shared, verb, outputs: text("outputs"), identity: text("identity") };
  if (verb === "list") return { ...shared, verb };
  if (verb === "remove") return { ...shared, verb, name: name ?? "", unprotect: values["unprotect"] === true };
  const plan = values["plan"] === true;
  const moving = { image: text("image"), acceptLoss: values["accept-loss"] === true, noUp: values["no-up"] === true };
  if (verb === "switch-back") return { ...shared, verb, plan, ...moving };
  if (verb === "switch")
    return { ...shared, verb, plan, name: (name ?? "").toLowerCase(), outputs: text("outputs"), ...moving };
  return {
    ...{ ...shared, verb, plan, to: text("to"), name: text("name")?.toLowerCase(), outputs: text("outputs") },
    ...{ identity: text("identity"), into: intoSecret(text("into")) },
    verify: values["no-verify"] !== true,
    switch: values["switch"] === true ? moving : undefined,
  };
}

/** Finds the verb, which is the first word that belongs to no option, wherever it is. */
function verbIn(args: readonly string[]): RestoreCommand["verb"] {
  const all = Object.assign({}, STACK_OPTIONS, ...Object.values(OPTIONS)) as Options;
  const [first] = parseOptions(args, all, undefined, []).positionals;
  if (args.includes("--check")) return "check";
  const known = (Object.keys(OPTIONS) as RestoreCommand["verb"][]).find((each) => each === first);
  return known ?? "restore";
}

/** The key of a Secret of `--into` that names none. It is that of the migration's own URL. */
const INTO_KEY = "direct-url";

function intoSecret(given: string | undefined): IntoSecret | undefined {
  if (given === undefined) return undefined;
  const [secret = "", key = INTO_KEY] = given.split("/");
  return { secret, key };
}

function readTimeout(values: Given, standard: string, mistakes: string[]): number {
  const given = typeof values["timeout"] === "string" ? values["timeout"] : standard;
  const timeout = parseDuration(given);
  if (!timeout) mistakes.push(`--timeout is "${given}", and must be a time such as 30m or 3h`);
  return timeout ?? 0;
}

/** Returns the text that `help` prints. */
export function helpText(): string {
  const restore = commandByHand("restore");
  return [
    `${restore} --stack NAME [--to POINT] [--plan]`,
    "",
    "Makes a second database beside the stack's own, with the data of a backup and the source's own settings, and looks",
    "whether everything is in it. The source is only read.",
    "",
    ...helpOptions(OPTIONS.restore),
    "",
    `${restore} check --stack NAME`,
    "",
    helpLine("check", "restores the newest backup, verifies and times it, and removes it again; the page of the next"),
    helpLine("", "release has the time"),
    ...helpOptions(OPTIONS.check),
    "",
    `${restore} list --stack NAME`,
    "",
    helpLine("list", "the databases that restores have made"),
    "",
    `${restore} remove COPY --stack NAME`,
    "",
    helpLine("remove COPY", "deletes one of them, and nothing else"),
    ...helpOptions(OPTIONS.remove),
    "",
    `${restore} switch COPY --stack NAME [--plan]`,
    "",
    helpLine("switch COPY", "moves the app to one of them as one release, with the image of its schema"),
    ...helpOptions(OPTIONS.switch),
    "",
    `${restore} switch-back --stack NAME [--plan]`,
    "",
    helpLine("switch-back", "brings the app back to the database before, from every state of a switch"),
    ...helpOptions(OPTIONS["switch-back"]),
    "",
    "Options of all:",
    ...helpOptions(STACK_OPTIONS),
    "",
    `Exit status: 0 restored and verified; ${EXIT.failed} the copy did not get available, or a switch would lose rows; ${EXIT.usage} wrong command line or settings;`,
    `9 the copy lacks something; ${EXIT.account} RDS or the cluster can't be asked, or refuses; 130 Ctrl-C.`,
    "",
  ].join("\n");
}
