import { noteReaderCommands } from "../cloud/kubernetes/reader-commands";
import { neonAccess } from "../cloud/neon/service";
import type { EngineEvent, EngineResult, StepEvent } from "../engine/events";
import type { Operation } from "../engines";
import { environmentOf, prepareEnvironment } from "../environment";
import { onInterrupt } from "../interrupt";
import { endRun, type LastRun, startRun } from "../last-run";
import { seconds } from "../progress-text";
import { showProgress } from "../show-progress";
import { shownOverride } from "../stack";
import { rdsVariables } from "./by-hand";
import { byHandCommand, type Call, typed } from "./verb";

export interface Ran extends EngineResult {
  /** The finished steps of resources that the user knows: those of the packages aws, kubernetes and command. */
  steps: StepEvent[];
  failed: StepEvent[];
  durationMs: number;
  interrupted: boolean;
}

/**
 * Runs the engine on the stack, shows its progress and records the result for `status`. Before the first step and again
 * after the last, the database and its Secret are prepared. `settle` is a further check that must pass for success.
 */
export async function runEngine(operation: Operation, call: Call, settle?: () => Promise<void>): Promise<Ran> {
  const { stack, stackDir, cloudDir, output } = call;
  const started = Date.now();
  const progress = showProgress(output.json, output.stream);
  if (stack.note) progress.note(stack.note);
  const interrupt = onInterrupt((text) => process.stderr.write(`\n${text}\n`));

  let record: LastRun | undefined;
  // The engine has the stack's lock when the record is written, so another command's record is not overwritten.
  const recorded = () => {
    if (operation !== "preview") record ??= startRun(stackDir, operation, stack.overrides.map(shownOverride));
    return record;
  };
  const steps: StepEvent[] = [];
  const failed: StepEvent[] = [];
  const onEvent = (event: EngineEvent) => {
    const run = recorded();
    if (event.kind === "step" && event.status !== "started") {
      steps.push(event);
      if (event.status === "failed") {
        failed.push(event);
        run?.failed.push({ type: event.type, name: event.name, op: event.op, error: event.error ?? "" });
      }
    }
    if (output.json || event.kind !== "step" || (operation !== "preview" && isWork(event))) progress.event(event);
  };

  const environment = operation === "up" || operation === "preview" ? environmentOf(stack) : undefined;
  let preparing: Promise<void> | undefined;
  const prepare = () => {
    if (operation === "up") {
      const [ops, restore] = [byHandCommand(call, "ops"), byHandCommand(call, "restore")];
      noteReaderCommands(cloudDir, { RELEASE_OPS_COMMAND: ops, RELEASE_RESTORE_COMMAND: restore });
    }
    if (environment && operation === "up")
      preparing ??= announced(environment.identifier, () => prepareEnvironment(cloudDir, environment));
    return preparing ?? Promise.resolve();
  };
  const announced = async (identifier: string, work: () => Promise<void>) => {
    const begun = Date.now();
    const slow = setTimeout(() => progress.note(`  preparing database ${identifier} and its Secret …`), 300);
    try {
      await work();
    } finally {
      clearTimeout(slow);
    }
    if (Date.now() - begun > 1_000) progress.note(`  database ${identifier} is ready  ${seconds(Date.now() - begun)}`);
  };

  try {
    const settings = {
      directory: stack.directory,
      project: stack.project,
      stack: stack.name,
      config: stack.config,
      stateDir: stack.stateDir,
      variables: {
        ...namedCommands(call),
        ...(operation === "up" && environment?.runsCommands
          ? { ...(await rdsVariables(call.cloudDir)), ...neonAccess(call.cloudDir, environment.neon !== undefined) }
          : {}),
      },
      onEvent,
      signal: interrupt.signal,
      hardSignal: interrupt.hardSignal,
    };
    const result = await call.engine().run(operation, settings, { cloudDir, environment, prepare });
    if (result.ok && !interrupt.signal.aborted) {
      await prepare();
      await settle?.();
    }
    progress.end();
    const ended = recorded();
    if (ended) {
      if (ended.failed.length === 0) ended.errors = result.errors;
      endRun(stackDir, ended, result.ok);
    }
    const durationMs = Date.now() - started;
    return { ...result, steps: steps.filter(isResource), failed, durationMs, interrupted: interrupt.signal.aborted };
  } catch (error) {
    progress.end();
    if (record) endRun(stackDir, { ...record, errors: [(error as Error).message] }, false);
    throw error;
  } finally {
    interrupt.release();
  }
}

/** Whether the step is one of a resource. Components, providers and the stack itself are not shown to the user. */
function isResource({ type }: StepEvent): boolean {
  return ["aws", "kubernetes", "command"].includes(type.slice(0, type.indexOf(":")));
}

/** Whether the step does something. A `replace` only groups a deletion and a creation, which have their own steps. */
function isWork(event: StepEvent): boolean {
  return isResource(event) && (event.op !== "replace" || event.status === "failed");
}

/** The exit status: 0 for success, 1 for a failure, 130 for an interruption, as shells report it. */
export function exitStatus(ran: Ran): number {
  if (ran.interrupted) return 130;
  return ran.ok ? 0 : 1;
}

/** The variables by which the messages of the program name the commands of the local cloud, and not those of Pulumi. */
function namedCommands({ stack }: Pick<Call, "stack">): Record<string, string> {
  const overrides = [...stack.overrides.filter((each) => !each.startsWith("app.image=")), "app.image={image}"];
  return {
    RELEASE_BACK_COMMAND: typed({ stack: { ...stack, overrides } }, "up").replace(
      "'app.image={image}'",
      "app.image={image}",
    ),
    RELEASE_RESTORE_COMMAND: typed({ stack }, "restore"),
    RELEASE_OPS_COMMAND: byHandCommand({ stack }, "ops"),
    RELEASE_UP_COMMAND: byHandCommand({ stack }, "up"),
  };
}
