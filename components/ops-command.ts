import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { shellWord } from "../text/shell-word";
import { knownValue } from "./known-value";

/** How the commands `ops` are run where `pulumi up` runs, with the configuration of this very stack. */
export interface OpsRunner {
  /** The file that starts the commands by hand. */
  start: string;
  /** The folder of the Pulumi program. */
  directory: string;
  /** The namespace of the settings in the configuration. */
  namespace: string;
  /** The configuration of the stack as Pulumi passes it to the program, without the access key of AWS. */
  config: Record<string, string>;
  /** The variables that the command gets besides those of `pulumi up`, such as the access key of AWS. */
  environment: Record<string, string>;
}

/** A command and what it is told of the release. */
export interface OpsCommandArgs {
  verb: string;
  /** The options of the verb. */
  options: readonly string[];
  /** The namespace of the release in the cluster. */
  namespace: string;
  /** How kubectl reaches the cluster. */
  kubectl: { context?: string | undefined; kubeconfig?: pulumi.Input<string> | undefined };
  /** The outputs of the release that the command takes for the live one. Empty: none is live. */
  outputs: object;
  /** Further configuration, which that of the stack precedes. */
  defaults?: Record<string, string>;
  /** Settings of the release that replace those of the configuration, by their sections. */
  settings?: Record<string, object>;
  /** The output that `up` shows while the command runs. Default: none, and the command prints JSON. */
  logging?: "stdout";
}

/**
 * Runs a command of `ops`. It is a function and no resource, so nothing of it is in Pulumi's state: neither credentials
 * nor output.
 *
 * @param parent the component whose provider of the package `command` runs it
 * @returns its standard output
 * @throws Error with the whole output when its exit status is not 0
 */
export async function runOps(runner: OpsRunner, args: OpsCommandArgs, parent: pulumi.Resource): Promise<string> {
  const { start, directory, environment } = runner;
  const { verb, options, kubectl, outputs, logging } = args;
  const stack = pulumi.getStack();
  const words = ["ops", verb, "--stack", stack, ...(logging ? [] : ["--json"]), ...options];
  const config = await configOf(runner, args, await knownValue<string | undefined>(kubectl.kubeconfig));
  const { stdout } = await local.run(
    {
      command: ["node", start, ...words].map(shellWord).join(" "),
      dir: directory,
      environment: {
        ...environment,
        RELEASE_STACK_CONFIG: JSON.stringify({ stack, config }),
        RELEASE_STACK_OUTPUTS: JSON.stringify(outputs),
      },
      logging: logging ?? "none",
    },
    { parent },
  );
  return stdout;
}

function configOf(
  runner: OpsRunner,
  { namespace, kubectl, defaults = {}, settings = {} }: OpsCommandArgs,
  kubeconfig: string | undefined,
): Record<string, string> {
  const changed = Object.entries(settings).map(([section, values]) => {
    const key = `${runner.namespace}:${section}`;
    return [key, JSON.stringify({ ...JSON.parse(runner.config[key] ?? "{}"), ...values })] as const;
  });
  return {
    ...defaults,
    ...runner.config,
    ...Object.fromEntries(changed),
    [`${runner.namespace}:namespace`]: namespace,
    ...(kubectl.context === undefined ? {} : { "kubernetes:context": kubectl.context }),
    ...(kubeconfig === undefined ? {} : { "kubernetes:kubeconfig": kubeconfig }),
  };
}

/** What the last lines of a command say that failed. */
export interface OpsFailure {
  /** What happened, in one or more lines. */
  what: string;
  /** The state of the database. */
  database: string;
  /** The next command. */
  next: string;
}

/**
 * Reads the last lines of a command that failed from the message of its error.
 * @returns undefined if the command ended without saying why
 */
export function opsFailure(message: string): OpsFailure | undefined {
  const [, what = "", database = "", next = ""] =
    /^FAILED: ([\s\S]*?)\nDatabase: (.*)\nNext: (.*)$/m.exec(message) ?? [];
  return what === "" ? undefined : { what, database, next };
}
