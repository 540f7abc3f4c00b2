import { parseArgs } from "node:util";
import { CommandFailure, EXIT } from "./failure";

/** An option of a command. */
interface Option {
  /** The name of its value; undefined: it has none. */
  readonly value?: string;
  readonly many?: true;
  readonly text: string;
}

/** Options by their names. */
export type Options = Readonly<Record<string, Option>>;

/** The values of the options that were given, by their names. */
export type Given = Readonly<Record<string, string | true | readonly string[]>>;

/** The options of every command that works on a stack. */
export const STACK_OPTIONS: Options = {
  stack: { value: "NAME", text: "the Pulumi stack, whose settings are in Pulumi.NAME.yaml" },
  context: { value: "NAME", text: "the context of the kubeconfig; default: kubernetes:context of the stack" },
  kubeconfig: { value: "FILE", text: "the kubeconfig; default: kubernetes:kubeconfig of the stack, or kubectl's own" },
  namespace: {
    value: "NAME",
    text: "namespace of the settings in that file (default: release, or the project's name)",
  },
  json: { text: "one JSON object a line instead of text" },
};

/** How a command line names a stack, and reaches its cluster. */
export interface StackOptions {
  readonly stack: string;
  /** The context of the kubeconfig; default: the stack's `kubernetes:context`. */
  readonly context: string | undefined;
  /** The path of a kubeconfig; default: the stack's `kubernetes:kubeconfig`, or kubectl's own. */
  readonly kubeconfig: string | undefined;
  /** The namespace of the settings in the stack's configuration; default: `release`, or the project's name. */
  readonly namespace: string | undefined;
  readonly json: boolean;
}

/**
 * Reads the options and the other words of a command line.
 * @param verb the verb whose options they are, for messages; undefined if it is unknown
 * @param mistakes receives each mistake
 */
export function parseOptions(
  args: readonly string[],
  options: Options,
  verb: string | undefined,
  mistakes: string[],
): { values: Given; positionals: string[] } {
  const { tokens, positionals } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(options).map(([name, { value }]) => [name, { type: value ? "string" : "boolean" } as const]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values: Record<string, string | true | readonly string[]> = {};
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

/**
 * Takes the options of {@link STACK_OPTIONS} from the values that were given.
 * @param stacks the names of the stacks that have settings
 * @param mistakes receives a mistake if the stack is missing or unknown
 */
export function stackOptions(values: Given, stacks: readonly string[], mistakes: string[]): StackOptions {
  const text = (option: string) => (typeof values[option] === "string" ? values[option] : undefined);
  const stack = text("stack");
  const known =
    stacks.length === 0 ? "there is no Pulumi.STACK.yaml in this folder" : `there are: ${stacks.join(", ")}`;
  if (stack === undefined) mistakes.push(`--stack NAME is missing; ${known}`);
  else if (!stacks.includes(stack)) mistakes.push(`unknown stack "${stack}"; ${known}`);
  return {
    ...{ stack: stack ?? "", context: text("context"), kubeconfig: text("kubeconfig"), namespace: text("namespace") },
    json: values["json"] === true,
  };
}

function mistakeOf(
  { name, rawName, value }: { name: string; rawName: string; value: string | undefined },
  option: Option,
  before: Given,
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

/**
 * Returns the failure of a wrong command line.
 * @param help the command that explains the right ones
 */
export function wrongCommand(mistakes: readonly string[], help: string): CommandFailure {
  const what = mistakes.length === 1 ? mistakes[0]! : `${mistakes.length} mistakes on the command line.`;
  const list = mistakes.length === 1 ? "" : mistakes.map((each) => `\n  - ${each}`).join("");
  return new CommandFailure(EXIT.usage, `${what}${list}`, "not connected to; nothing was changed.", help);
}

/** Returns a line of a help text. */
export function helpLine(left: string, text: string): string {
  return `  ${left.padEnd(26)} ${text}`;
}

/** Returns the lines of a help text for options. */
export function helpOptions(options: Options): string[] {
  return Object.entries(options).map(([name, { value, text }]) =>
    helpLine(`--${name}${value ? ` ${value}` : ""}`, text),
  );
}
