import { parseArgs } from "node:util";
import { commandLine } from "../text/command-line";
import { EXIT, OpsFailure } from "./failure";
import { type Given, OPS_VERBS, type OpsVerbName, type VerbOption, verbOf } from "./verbs";

/** A command as it was typed. */
export interface OpsCommand {
  readonly verb: OpsVerbName;
  readonly stack: string;
  /** The context of the kubeconfig; default: the stack's `kubernetes:context`. */
  readonly context: string | undefined;
  /** The path of a kubeconfig; default: the stack's `kubernetes:kubeconfig`, or kubectl's own. */
  readonly kubeconfig: string | undefined;
  /** The namespace of the settings in the stack's configuration; default: `release`, or the project's name. */
  readonly namespace: string | undefined;
  /** The file of `sql`. */
  readonly file: string | undefined;
  readonly given: Given;
  readonly json: boolean;
}

/** The options of every verb. */
const COMMON: Options = {
  stack: { value: "NAME", text: "the Pulumi stack, whose settings are in Pulumi.NAME.yaml" },
  context: { value: "NAME", text: "the context of the kubeconfig; default: kubernetes:context of the stack" },
  kubeconfig: { value: "FILE", text: "the kubeconfig; default: kubernetes:kubeconfig of the stack, or kubectl's own" },
  namespace: {
    value: "NAME",
    text: "namespace of the settings in that file (default: release, or the project's name)",
  },
  json: { text: "one JSON object a line instead of text" },
};

const NAMES = Object.keys(OPS_VERBS);

/**
 * Reads the command line.
 * @param stacks the names of the stacks that have settings, for the messages
 * @throws OpsFailure with every mistake at once
 */
export function readCommand(args: readonly string[], stacks: readonly string[]): OpsCommand {
  const mistakes: string[] = [];
  const [name = "", ...rest] = args;
  const verb = verbOf(name);
  if (!verb)
    mistakes.push(`${name === "" ? "The verb is missing" : `unknown verb "${name}"`}; allowed: ${NAMES.join(", ")}`);
  const own = verb?.options ?? allOptions();
  const { values, positionals } = parse(rest, own, verb ? name : undefined, mistakes);
  const text = (option: string) => (typeof values[option] === "string" ? values[option] : undefined);
  const [file, ...others] = verb?.file ? positionals : [undefined, ...positionals];
  if (verb?.file && file === undefined) mistakes.push(`${name} needs the file to run, such as: ${name} fix.sql`);
  for (const other of verb ? others : []) mistakes.push(`"${other}" is one word too many`);
  const stack = text("stack");
  const known =
    stacks.length === 0 ? "there is no Pulumi.STACK.yaml in this folder" : `there are: ${stacks.join(", ")}`;
  if (stack === undefined) mistakes.push(`--stack NAME is missing; ${known}`);
  else if (!stacks.includes(stack)) mistakes.push(`unknown stack "${stack}"; ${known}`);
  mistakes.push(...missing(name, values));
  if (mistakes.length > 0 || !verb || stack === undefined) throw wrong(mistakes);
  const given = Object.fromEntries(Object.entries(values).filter(([option]) => Object.hasOwn(own, option)));
  return {
    verb: name as OpsVerbName,
    ...{ stack, file, given, json: values["json"] === true },
    ...{ context: text("context"), kubeconfig: text("kubeconfig"), namespace: text("namespace") },
  };
}

type Values = Record<string, string | true | readonly string[]>;
type Options = Readonly<Record<string, VerbOption>>;

function parse(
  args: readonly string[],
  own: Options,
  verb: string | undefined,
  mistakes: string[],
): { values: Values; positionals: string[] } {
  const options: Options = { ...COMMON, ...own };
  const { tokens, positionals } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(options).map(([name, { value }]) => [name, { type: value ? "string" : "boolean" } as const]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values: Values = {};
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const { name, value } = token;
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    const mistake = option ? mistakeOf(token, option, values) : unknownOption(token.rawName, options, verb);
    if (mistake !== undefined) mistakes.push(mistake);
    else if (option?.many) values[name] = [...[values[name] ?? []].flat().map(String), value ?? ""];
    else values[name] = value ?? true;
  }
  return { values, positionals };
}

function mistakeOf(
  { name, rawName, value }: { name: string; rawName: string; value: string | undefined },
  option: VerbOption,
  before: Values,
): string | undefined {
  // Node.js takes the next option for a value that is missing.
  if (option.value && (!value || value.startsWith("--"))) return `${rawName} needs a value (${option.value})`;
  if (!option.value && value !== undefined) return `${rawName} takes no value`;
  return before[name] !== undefined && !option.many ? `${rawName} is given twice` : undefined;
}

function unknownOption(rawName: string, options: Options, verb: string | undefined): string {
  const allowed = Object.keys(options).map((each) => `--${each}`);
  return `unknown option ${rawName}${verb ? ` of ${verb}` : ""}; allowed: ${allowed.join(", ")}`;
}

/** Returns what a verb needs and was not given, and what of its options excludes each other. */
function missing(verb: string, values: Values): string[] {
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

function wrong(mistakes: readonly string[]): OpsFailure {
  const what = mistakes.length === 1 ? mistakes[0]! : `${mistakes.length} mistakes on the command line.`;
  const list = mistakes.length === 1 ? "" : mistakes.map((each) => `\n  - ${each}`).join("");
  return new OpsFailure(
    EXIT.usage,
    `${what}${list}`,
    "not connected to; nothing was changed.",
    `${commandLine("ops")} help`,
  );
}

/** Returns the text that `help` prints. */
export function helpText(): string {
  const line = (left: string, text: string) => `  ${left.padEnd(26)} ${text}`;
  const option = ([name, { value, text }]: [string, VerbOption]) => line(`--${name}${value ? ` ${value}` : ""}`, text);
  return [
    `${commandLine("ops")} VERB --stack NAME [options]`,
    "",
    "Runs a verb of the migrator as a Kubernetes Job, with the stack's own settings, image and Secret.",
    "",
    ...Object.entries(OPS_VERBS).flatMap(([name, verb]) => [
      line(`${name}${"file" in verb ? " FILE" : ""}`, verb.text),
      ...Object.entries(verb.options).map((each) => `  ${option(each)}`),
    ]),
    "",
    ...Object.entries(COMMON).map(option),
    "",
    `Exit status: the verb's own (docs/errors.md); ${EXIT.usage} wrong command line or settings, ${EXIT.busy} a release is running,`,
    `${EXIT.cluster} the cluster can't be reached or can't run the Job, 130 Ctrl-C.`,
    "",
  ].join("\n");
}
