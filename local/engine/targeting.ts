import { type Decisions, RegistrationError, type Reply } from "./decisions";
import type { Deployment } from "./deployment";
import { referencedUrns } from "./graph";
import type { ResourceState } from "./state";
import type { Step } from "./step";
import { STACK_TYPE } from "./urn";

/** Without being a target, a resource stays as it is, or is not created. */
export function leaveAlone(
  deployment: Deployment,
  plan: Decisions,
  old: ResourceState | undefined,
  next: ResourceState,
  reply: Reply,
): Step[] {
  const { urn } = next;
  if (old) return keepWithNeeds(deployment, plan, old, reply);
  plan.sames.add(urn);
  plan.skippedCreates.add(urn);
  return [{ op: "same", urn, next, skippedCreate: true, reply }];
}

/** In the state a resource stands behind all it needs, so that is confirmed first, also what left the program. */
function keepWithNeeds(deployment: Deployment, plan: Decisions, old: ResourceState, reply?: Reply): Step[] {
  if (old.delete) return [];
  plan.seen.add(old.urn);
  plan.sames.add(old.urn);
  const urns = referencedUrns(old);
  const open = ({ urn }: ResourceState) => urns.has(urn) && !plan.decided(urn) && !plan.creates.has(urn);
  const needs = deployment.snapshot.base.filter(open);
  const steps = needs.flatMap((resource) => keepWithNeeds(deployment, plan, resource));
  return [...steps, { op: "same", urn: old.urn, old, next: { ...old }, reply }];
}

/** A target can't be brought about while something it needs was left uncreated. */
export function refuseMissingNeeds(deployment: Deployment, plan: Decisions, steps: Step[]): void {
  if (plan.skippedCreates.size === 0) return;
  for (const { urn, next } of steps) {
    if (!next || next.type === STACK_TYPE) continue;
    for (const need of referencedUrns(next)) {
      if (!plan.skippedCreates.has(need)) continue;
      const message = `Resource '${urn}' depends on '${need}' which was not specified in --target list.`;
      if (!deployment.preview) throw new RegistrationError(message, urn);
      deployment.fail(message, urn);
      plan.skippedCreates.delete(need);
    }
  }
}
