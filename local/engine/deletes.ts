import type { Decisions } from "./decisions";
import type { Deployment } from "./deployment";
import type { Executor } from "./executor";
import { deletionOrder, transitiveDependenciesOf } from "./graph";
import type { ResourceState } from "./state";
import type { Step } from "./step";

/**
 * Deletes, at the end of a run, the replaced resources and those that the program no longer contains, in reverse order
 * of their dependencies (step_generator.go, `GenerateDeletes` and `ScheduleDeletes`).
 */
export async function runDeletes(deployment: Deployment, plan: Decisions, executor: Executor): Promise<void> {
  const { base } = deployment.snapshot;
  const steps = new Map<ResourceState, Step>();
  for (const old of base) {
    const step = deletionOf(old, plan);
    if (step) steps.set(old, step);
  }
  for (const { urn } of steps.keys()) plan.deletes.add(urn);
  for (const group of deletionOrder(base, [...steps.keys()])) {
    if (deployment.stopped.signal.aborted) return;
    const kept = new Set(executor.refusedDeletes.flatMap((refused) => [...transitiveDependenciesOf(base, refused)]));
    const allowed = group.filter((resource) => !kept.has(resource));
    await Promise.all(allowed.map((resource) => executor.run([steps.get(resource) as Step])));
  }
}

function deletionOf(old: ResourceState, plan: Decisions): Step | undefined {
  if (plan.condemned.has(old) && !old.pendingReplacement) return undefined;
  const takenAlong = plan.takenAlong(old);
  if (old.delete) {
    // The resource itself was deleted before its replacement was created, so only its entry in the state is left.
    if (old.pendingReplacement) return { op: "remove-pending-replace", urn: old.urn, old };
    return { op: old.external ? "discard-replaced" : "delete-replaced", urn: old.urn, old, takenAlong };
  }
  if (plan.decided(old.urn)) return undefined;
  if (old.pendingReplacement) return { op: "remove-pending-replace", urn: old.urn, old };
  return { op: old.external ? "discard" : "delete", urn: old.urn, old, takenAlong };
}
