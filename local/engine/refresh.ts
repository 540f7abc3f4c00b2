import { isInitError } from "../cloud/provider";
import { type Deployment, PARALLEL } from "./deployment";
import type { StepEvent } from "./events";
import type { ResourceState } from "./state";
import { withSecrets } from "./step";
import { isDefaultProvider, isProviderType, urnName, urnType } from "./urn";
import { plainProperties, sameValue } from "./values";

type Found = NonNullable<StepEvent["found"]>;

/**
 * Reads every resource of the state and updates the state to what was read. A resource that is gone is removed from the
 * state and from the dependencies of the others (deployment_executor.go, `refresh` and `rebuildBaseState`).
 */
export async function runRefresh(deployment: Deployment): Promise<void> {
  const { snapshot } = deployment;
  const found = new Map<ResourceState, ResourceState | undefined>();
  const reads = snapshot.base.filter(readable);
  // Components and providers cannot be read; the CLI counts them as unchanged.
  for (const { urn } of snapshot.base.filter((old) => !readable(old))) {
    if (!isDefaultProvider(urn)) deployment.count("same");
  }
  const open = [...reads];
  const worker = async () => {
    for (let old = open.shift(); old && !deployment.stopped.signal.aborted; old = open.shift()) {
      const now = await refreshOne(deployment, old);
      if (now !== old) found.set(old, now);
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL, reads.length) }, worker));
  if (deployment.terminated) return;
  snapshot.base = rebuild(snapshot.base, found);
  snapshot.save();
}

function readable(old: ResourceState): boolean {
  return old.custom && !isProviderType(old.type) && !old.pendingReplacement;
}

/** Returns `old` itself if the read failed or nothing has changed, undefined if the resource is gone. */
async function refreshOne(deployment: Deployment, old: ResourceState): Promise<ResourceState | undefined> {
  const event: StepEvent = {
    kind: "step",
    step: deployment.nextStep(),
    type: urnType(old.urn),
    name: urnName(old.urn),
    urn: old.urn,
    op: "refresh",
    status: "started",
    startedAt: new Date().toISOString(),
  };
  const end = (status: "succeeded" | "failed", more: Partial<StepEvent>) =>
    deployment.emit({ ...event, ...more, status, endedAt: new Date().toISOString() });
  deployment.emit({ ...event });
  try {
    const now = await readAgain(deployment, old);
    const outcome: Found = !now ? "delete" : (await changed(deployment, old, now)) ? "update" : "same";
    deployment.count(outcome);
    end("succeeded", { found: outcome });
    return now && sameValue(strip(now), strip(old)) ? old : now;
  } catch (error) {
    const text = deployment.redaction.redact((error as Error).message);
    deployment.errors.push(text);
    end("failed", { error: text });
    return old;
  }
}

async function readAgain(deployment: Deployment, old: ResourceState): Promise<ResourceState | undefined> {
  const modified = new Date().toISOString();
  try {
    const result = await deployment.provider(old.type, old.provider).read({
      urn: old.urn,
      id: old.id ?? "",
      inputs: plainProperties(old.inputs),
      olds: plainProperties(old.outputs),
    });
    if (!result) return undefined;
    const next: ResourceState = { ...old, id: result.id, initErrors: undefined, modified };
    next.inputs = withSecrets(result.inputs, { ...old, additionalSecretOutputs: [] });
    next.outputs = withSecrets(result.outputs, next);
    return next;
  } catch (error) {
    if (!isInitError(error)) throw error;
    const reasons = error.reasons.map((reason) => `* ${reason}`).join("\n");
    deployment.diagnose("warning", `Refreshed resource is in an unhealthy state:\n${reasons}`, old.urn);
    const next: ResourceState = { ...old, id: error.id, initErrors: error.reasons, modified };
    next.outputs = withSecrets(error.outputs, next);
    return next;
  }
}

/** Whether an `up` of the unchanged program would now change the resource. */
async function changed(deployment: Deployment, old: ResourceState, now: ResourceState): Promise<boolean> {
  if (old.external) return !sameValue(old.outputs, now.outputs);
  const { changes } = await deployment.provider(old.type, old.provider).diff({
    urn: old.urn,
    id: now.id ?? "",
    oldInputs: plainProperties(now.inputs),
    olds: plainProperties(now.outputs),
    news: plainProperties(old.inputs),
    ignoreChanges: old.ignoreChanges ?? [],
  });
  return changes === "some";
}

function strip({ modified: _modified, initErrors, ...rest }: ResourceState): object {
  return { ...rest, initErrors: initErrors ?? [] };
}

function rebuild(base: ResourceState[], found: Map<ResourceState, ResourceState | undefined>): ResourceState[] {
  const known = new Set<string>();
  const parents = new Map<string, string | undefined>();
  const kept: ResourceState[] = [];
  for (const old of base) {
    const now = found.has(old) ? found.get(old) : old;
    if (!now) {
      parents.set(old.urn, old.parent);
      continue;
    }
    const next = { ...now };
    const there = (urns: string[]) => urns.filter((urn) => known.has(urn));
    if (next.dependencies) next.dependencies = there(next.dependencies);
    if (next.propertyDependencies) {
      const entries = Object.entries(next.propertyDependencies).map(([key, urns]) => [key, there(urns)] as const);
      next.propertyDependencies = Object.fromEntries(entries);
    }
    if (next.deletedWith && !known.has(next.deletedWith)) next.deletedWith = undefined;
    while (next.parent && !known.has(next.parent)) next.parent = parents.get(next.parent);
    known.add(next.urn);
    kept.push(next);
  }
  return kept;
}
