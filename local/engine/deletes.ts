import type { Decisions } from "./decisions";
import type { Deployment } from "./deployment";
import type { Executor } from "./executor";
import { deletionOrder, dependentsOf, transitiveDependenciesOf } from "./graph";
import type { ResourceState } from "./state";
import type { Step } from "./step";

/**
 * Deletes at the end of a run what was replaced and what the program no longer has, in reverse order of dependencies
 * (step_generator.go, `GenerateDeletes` and `ScheduleDeletes`).
 */
export async function runDeletes(deployment: Deployment, plan: Decisions, executor: Executor): Promise<void> {
  const { base } = deployment.snapshot;
  const steps = new Map<ResourceState, Step>();
  for (const old of base) {
    const step = deletionOf(old, plan);
    if (step && mayDelete(deployment, plan, old)) steps.set(old, step);
  }
  if (!refuseUntargeted(deployment, [...steps.keys()])) return;
  for (const { urn } of steps.keys()) plan.deletes.add(urn);
  for (const group of deletionOrder(base, [...steps.keys()])) {
    if (deployment.stopped.signal.aborted) return;
    const kept = new Set<ResourceState>();
    for (const failed of executor.failedSteps) {
      for (const state of [failed.old, failed.next]) {
        if (!state) continue;
        for (const need of transitiveDependenciesOf([...base, state], state)) kept.add(need);
        const before = base.find((resource) => resource.urn === state.urn);
        if (before) for (const need of transitiveDependenciesOf(base, before)) kept.add(need);
      }
    }
    const allowed = group.filter((resource) => !kept.has(resource));
    await Promise.all(allowed.map((resource) => executor.run([steps.get(resource) as Step])));
  }
}

function deletionOf(old: ResourceState, plan: Decisions): Step | undefined {
  if (plan.condemned.has(old) && !old.pendingReplacement) return undefined;
  const takenAlong = plan.takenAlong(old);
  if (old.delete) {
    // Its own deletion went before its creation; there is nothing left of it.
    if (old.pendingReplacement) return { op: "remove-pending-replace", urn: old.urn, old };
    return { op: old.external ? "discard-replaced" : "delete-replaced", urn: old.urn, old, takenAlong };
  }
  if (plan.decided(old.urn)) return undefined;
  if (old.pendingReplacement) return { op: "remove-pending-replace", urn: old.urn, old };
  return { op: old.external ? "discard" : "delete", urn: old.urn, old, takenAlong };
}

/** With `--target`, only targets are deleted, and what can't be without them. */
function mayDelete(deployment: Deployment, plan: Decisions, old: ResourceState): boolean {
  if (!deployment.constrained) return true;
  const { base } = deployment.snapshot;
  const targets = base.filter((resource) => isNamed(deployment, resource));
  return targets.some((target) => {
    if (target === old) return true;
    if (plan.decided(target.urn)) return false;
    return dependentsOf(base, target, { children: true }).includes(old);
  });
}

/** Providers and the stack always take part in an update, but are deleted only by name. */
function isNamed(deployment: Deployment, resource: ResourceState): boolean {
  return deployment.isNamedTarget(resource.urn);
}

function refuseUntargeted(deployment: Deployment, resources: ResourceState[]): boolean {
  if (!deployment.constrained) return true;
  const refused = resources.filter((resource) => !isNamed(deployment, resource));
  for (const { urn } of refused) {
    deployment.fail(
      `Resource '${urn}' will be destroyed but was not specified in --target list. Either include it in the list, or ` +
        "leave out what it depends on.",
      urn,
    );
  }
  return refused.length === 0 || deployment.preview;
}
