import type { Json } from "../cloud/provider";
import { runDeletes } from "./deletes";
import { Deployment } from "./deployment";
import type { EngineOptions, EngineResult } from "./events";
import { Executor } from "./executor";
import { lockStack } from "./lock";
import { Plan } from "./plan";
import { runRefresh } from "./refresh";
import { Snapshot } from "./snapshot";
import { backUpState, loadState, type StackState, stackDirectory } from "./state";
import { Update } from "./update";
import { stackUrn } from "./urn";
import { mapProperties, shown } from "./values";

export * from "./events";
export { StackLockedError } from "./lock";
export { type ResourceState, stackDirectory } from "./state";

/** Runs the program and creates, changes and deletes resources to match it. A failure returns `ok: false`. */
export function up(options: EngineOptions): Promise<EngineResult> {
  return operate(options, "up", (deployment) => new Update(deployment).run());
}

/** Computes what `up` would do and changes nothing. It takes no lock, so it works while another command runs. */
export function preview(options: EngineOptions): Promise<EngineResult> {
  return operate(options, "preview", (deployment) => new Update(deployment).run());
}

/** Deletes all resources of the state, without running the program. */
export function destroy(options: EngineOptions): Promise<EngineResult> {
  return operate(options, "destroy", async (deployment) => {
    const executor = new Executor(deployment);
    await runDeletes(deployment, new Plan(deployment, (steps) => executor.run(steps)), executor);
    await executor.idle();
  });
}

/** Updates the state to what the providers read, without running the program. */
export function refresh(options: EngineOptions): Promise<EngineResult> {
  return operate(options, "refresh", runRefresh);
}

/** Returns the outputs of the last `up`; a secret is shown as `[secret]`. @throws Error if there is no state */
export async function readOutputs(stateDir: string, project: string, stack: string): Promise<Record<string, Json>> {
  const state = loadState(stackDirectory(stateDir, project, stack));
  if (!state)
    throw new Error(`Stack ${stack} has no state in ${stateDir}: nothing was deployed yet. Run \`up\` first.`);
  return outputsOf(state.resources, project, stack);
}

type Kind = "up" | "preview" | "destroy" | "refresh";

async function operate(
  options: EngineOptions,
  kind: Kind,
  work: (deployment: Deployment) => Promise<void>,
): Promise<EngineResult> {
  const begun = performance.now();
  const directory = stackDirectory(options.stateDir, options.project, options.stack);
  const lock = kind === "preview" ? undefined : lockStack(directory, options.stack);
  try {
    const before = loadState(directory);
    if (lock && before) backUpState(directory);
    const deployment = new Deployment(options, new Snapshot(directory, before, lock), kind === "preview");
    if (lock && before) settleInterrupted(deployment, before, kind);
    await Promise.race([work(deployment), aborted(options.hardSignal)]);
    if (deployment.canceled && !deployment.failed) deployment.fail(`${kind} was canceled`);
    const result: EngineResult = {
      ok: !deployment.failed,
      outputs: outputsOf(deployment.snapshot.current(), options.project, options.stack),
      summary: deployment.counts,
      durationMs: Math.round(performance.now() - begun),
      errors: deployment.errors,
      canceled: deployment.canceled,
    };
    const { errors: _errors, canceled: _canceled, ...summary } = result;
    deployment.emit({ kind: "summary", ...summary });
    return result;
  } finally {
    lock?.release();
  }
}

/** Resolves when the signal is aborted; without a signal it never settles. */
function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve();
    else signal?.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Reports the operations that a killed run left unfinished, and removes them from the state. */
function settleInterrupted(deployment: Deployment, { pendingOperations }: StackState, kind: Kind): void {
  if (pendingOperations.length === 0) return;
  const lines = pendingOperations.map(({ resource, type }) => `  * ${resource.urn}, interrupted while ${type}`);
  const advice =
    kind === "refresh"
      ? "Their state is read anew now."
      : "Whether they were completed is not known. This run goes on from the last known state; " +
        "`refresh` compares that with what is really there.";
  deployment.diagnose(
    "warning",
    `The last command on this stack was interrupted with ${lines.length} pending operations:\n${lines.join("\n")}\n${advice}`,
  );
  deployment.snapshot.save();
}

function outputsOf(resources: StackState["resources"], project: string, stack: string): Record<string, Json> {
  const urn = stackUrn(stack, project);
  const root = resources.find((resource) => resource.urn === urn && !resource.delete);
  return mapProperties(root?.outputs ?? {}, shown);
}
