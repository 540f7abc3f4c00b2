import { createAwsProvider } from "./cloud/aws/provider";
import { createCommandProvider, RUN } from "./cloud/command/provider";
import { toolsOf } from "./cloud/command/tools";
import { createKubernetesProvider } from "./cloud/kubernetes/provider";
import type { Json } from "./cloud/provider";
import * as embedded from "./engine";
import type { EngineOptions, EngineResult } from "./engine/events";
import { loadState } from "./engine/state";
import { type Environment, plannedEnvironment, preparedFirst } from "./environment";
import { readCheckpoint } from "./plugin/checkpoint";
import * as cli from "./plugin/pulumi-cli";
import type { Stack } from "./stack";
import { UsageError } from "./usage-error";

export type EngineName = "embedded" | "pulumi";

/** One of the engines that can run the program. Each has its own state. */
export interface Engine {
  name: EngineName;
  run(operation: Operation, options: Omit<EngineOptions, "providers">, world: World): Promise<EngineResult>;
}

export type Operation = "up" | "preview" | "destroy" | "refresh";

interface World {
  cloudDir: string;
  environment?: Environment | undefined;
  /** Prepares the environment, for an engine that does not prepare it itself. */
  prepare(): Promise<void>;
}

const OPERATIONS = {
  embedded: { up: embedded.up, preview: embedded.preview, destroy: embedded.destroy, refresh: embedded.refresh },
  pulumi: { up: cli.up, preview: cli.preview, destroy: cli.destroy, refresh: cli.refresh },
};

const ENGINES: Record<EngineName, Engine> = {
  embedded: {
    name: "embedded",
    run(operation, options, { cloudDir, environment, prepare }) {
      const providers = {
        aws: createAwsProvider(cloudDir),
        kubernetes: createKubernetesProvider(cloudDir),
        // A command that is a resource is shown as a step; one that is none, such as a rehearsal, by its lines.
        command: createCommandProvider({
          environment: toolsOf(cloudDir),
          log: (urn, message) => urn === RUN && options.onEvent?.({ kind: "diagnostic", severity: "info", message }),
        }),
      };
      return OPERATIONS.embedded[operation]({
        ...options,
        providers: preparedFirst(providers, prepare, plannedEnvironment(cloudDir, environment)),
      });
    },
  },
  pulumi: {
    name: "pulumi",
    // The CLI starts the local cloud's plugins, and the plugins prepare the environment.
    run: (operation, options, { environment }) => OPERATIONS.pulumi[operation]({ ...options, environment }),
  },
};

/** The engine whose state contains the stack; undefined when nothing of the stack is deployed. */
function ownerOf({ stateDir, project, name }: Place): EngineName | undefined {
  const state = loadState(embedded.stackDirectory(stateDir, project, name));
  if (state && state.resources.length > 0) return "embedded";
  return cli.readCliOutputs(stateDir, project, name) === undefined ? undefined : "pulumi";
}

type Place = Pick<Stack, "stateDir" | "project" | "name">;

/**
 * Chooses the engine. `auto` selects the engine that holds the stack's state, and for a new stack the embedded one.
 * @throws UsageError when another engine holds the stack, or the Pulumi CLI is missing
 */
export function chooseEngine(asked: "auto" | EngineName, stack: Place): Engine {
  const owner = ownerOf(stack);
  const name = asked === "auto" ? (owner ?? "embedded") : asked;
  if (owner !== undefined && owner !== name) {
    throw new UsageError([
      `--engine ${name}: stack ${stack.name} is held by the ${owner} engine, and each keeps a state of its own; ` +
        `leave the option out, use another --stack, or destroy this one first`,
    ]);
  }
  // A stack of the CLI can be shown and stopped without the CLI; commands that need it report that it is missing.
  if (asked === "pulumi" && !cli.hasPulumi()) {
    throw new UsageError([
      "--engine pulumi: the Pulumi CLI (pulumi and pulumi-language-nodejs) is not on PATH; install it, or use --engine embedded",
    ]);
  }
  return ENGINES[name];
}

export function isEngine(asked: string): asked is "auto" | EngineName {
  return asked === "auto" || Object.hasOwn(ENGINES, asked);
}

interface HeldResource {
  urn: string;
  type: string;
  custom: boolean;
}

/** The resources of the stack without components, providers and the stack itself. */
export function resourcesOf({ stateDir, project, name }: Place): HeldResource[] {
  const owner = ownerOf({ stateDir, project, name });
  if (owner === undefined) return [];
  const resources: HeldResource[] | undefined =
    owner === "embedded"
      ? loadState(embedded.stackDirectory(stateDir, project, name))?.resources
      : readCheckpoint(stateDir, project, name)?.checkpoint.latest?.resources;
  return (resources ?? []).filter(({ custom, type }) => custom && !type.startsWith("pulumi:"));
}

/** The outputs of the live release; empty before the first release. */
export async function readOutputs({ stateDir, project, name }: Place): Promise<Record<string, Json>> {
  const owner = ownerOf({ stateDir, project, name });
  if (owner === undefined) return {};
  return owner === "pulumi"
    ? (cli.readCliOutputs(stateDir, project, name) ?? {})
    : embedded.readOutputs(stateDir, project, name);
}
