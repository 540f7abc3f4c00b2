import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { settingsNamespace } from "../settings/namespace";
import { parseSettings } from "../settings/parse";
import type { Section, Settings } from "../settings/schema";
import { type Json, keysOf, namespaceValues, readKeys, stackConfig } from "../settings/stack-file";
import { counted } from "../text/counted";
import { CommandFailure, EXIT } from "./failure";
import type { StackOptions } from "./options";

/** The sections of the settings that a Job by hand needs. */
const JOB_SECTIONS = ["namespace", "app", "database", "migrations", "review", "drift"] as const;

/** The sections of the settings that every command by hand reads. */
export type JobSection = (typeof JOB_SECTIONS)[number];

/** A stack, as its files describe it. */
export interface CommandStack<S extends Section = JobSection> {
  readonly name: string;
  /** The name of the Pulumi project. */
  readonly project: string;
  readonly settings: Pick<Settings, S | JobSection>;
  /** The stack's whole configuration, by qualified key, such as `aws:region`. */
  readonly config: ReadonlyMap<string, Json>;
  /** The migrations folder, as an absolute path. */
  readonly directory: string;
  readonly context: string | undefined;
  /** The content or the path of a kubeconfig. */
  readonly kubeconfig: string | undefined;
}

/**
 * The variable in which the local release and a step of `up` give a stack and its configuration, or the path of a file
 * with them. Such a stack may have no file of its own, and settings from the command line.
 */
const GIVEN_VARIABLE = "RELEASE_STACK_CONFIG";

/** A stack whose configuration is given. The values are those that Pulumi passes to a program: objects are JSON. */
interface GivenStack {
  readonly stack: string;
  readonly config: Readonly<Record<string, string>>;
}

function givenStack(): GivenStack | undefined {
  const file = process.env[GIVEN_VARIABLE];
  if (file === undefined) return undefined;
  return JSON.parse(file.startsWith("{") ? file : readFileSync(file, "utf8")) as GivenStack;
}

/** Returns the names of the stacks that have settings in the folder of the Pulumi program. */
export function stacksIn(directory: string): string[] {
  const found = readdirSync(directory).flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? []);
  return [...new Set([...found, ...(givenStack() ? [givenStack()!.stack] : [])])].sort();
}

/**
 * Reads a stack's files, by the same rules as `pulumi up`, without the Pulumi CLI.
 * @param access what the command line says about the cluster and the settings; it precedes the stack's configuration
 * @param more further sections of the settings that the command needs
 * @throws CommandFailure that lists everything that is wrong
 */
export function readCommandStack<S extends Section = JobSection>(
  directory: string,
  name: string,
  access: Pick<StackOptions, "context" | "kubeconfig" | "namespace">,
  more: readonly S[] = [],
): CommandStack<S> {
  const problems: string[] = [];
  const projectFile = readKeys(join(directory, "Pulumi.yaml"), problems);
  if (projectFile === undefined) problems.push(`There is no ${join(directory, "Pulumi.yaml")}`);
  const project = String(projectFile?.["name"] ?? "");
  const config = configOf(directory, name, { project, projectFile: projectFile ?? {}, problems });
  const raw = namespaceValues(access.namespace ?? settingsNamespace(project, config.keys()), config);
  // The image may be known only at a release. A Job by hand doesn't run it.
  const app = { image: "unknown:0", ...keysOf(raw["app"]) };
  const read =
    problems.length === 0
      ? parseSettings({ ...raw, app }, [...JOB_SECTIONS, ...more])
      : { problems, settings: undefined };
  const given = (key: string) => plain(config.get(`kubernetes:${key}`), key, read.problems);
  const context = access.context ?? given("context");
  const kubeconfig = access.kubeconfig ?? given("kubeconfig");
  const { settings } = read;
  if (read.problems.length > 0 || !settings) throw invalidSettings(name, read.problems);
  return {
    ...{ name, project, settings, config },
    directory: resolve(directory, settings.migrations.directory),
    ...{ context, kubeconfig },
  };
}

function configOf(
  directory: string,
  name: string,
  {
    project,
    projectFile,
    problems,
  }: { project: string; projectFile: Parameters<typeof stackConfig>[1]; problems: string[] },
): Map<string, Json> {
  const given = givenStack();
  if (given?.stack === name)
    return new Map(Object.entries(given.config).map(([key, text]) => [key, decode(text)] as const));
  const stackFile = readKeys(join(directory, `Pulumi.${name}.yaml`), problems) ?? {};
  return stackConfig(project, projectFile, stackFile);
}

/** Parses the JSON of an object or a list; any other text is returned as it is. */
function decode(text: string): Json {
  return /^\s*[[{]/.test(text) ? (JSON.parse(text) as Json) : text;
}

/** Returns the failure of settings that are wrong. */
export function invalidSettings(stack: string, problems: readonly string[]): CommandFailure {
  return new CommandFailure(
    EXIT.usage,
    `${counted(problems.length, "invalid setting")} of stack "${stack}".${problems.map((each) => `\n  - ${each}`).join("")}`,
    "not connected to; nothing was changed.",
    `correct Pulumi.${stack}.yaml (every key is in docs/settings.md), then the same command again`,
  );
}

function plain(value: Json | undefined, key: string, problems: string[]): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  const encrypted = "secure" in keysOf(value);
  if (!encrypted && key === "kubeconfig") return JSON.stringify(value);
  problems.push(
    encrypted
      ? `kubernetes:${key} is encrypted, and only Pulumi can read it; pass --${key}`
      : `kubernetes:${key} is no text; pass --${key}`,
  );
  return undefined;
}
