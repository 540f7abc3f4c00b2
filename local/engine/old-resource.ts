import { type Decisions, RegistrationError } from "./decisions";
import type { Deployment } from "./deployment";
import type { Goal } from "./goal";
import type { ResourceState } from "./state";

/**
 * Finds a resource in the state, first under its own URN, then under its aliases.
 * @throws RegistrationError when another resource of the program uses the same alias
 */
export function findOld(deployment: Deployment, goal: Goal, urn: string, plan: Decisions): ResourceState | undefined {
  const byUrn = (name: string) => deployment.snapshot.base.find((it) => it.urn === name && !it.delete);
  const own = byUrn(urn);
  if (own) return own;
  for (const name of goal.aliases) {
    const old = byUrn(name);
    if (!old) continue;
    const claimed = plan.aliased.get(name) ?? (plan.seen.has(name) ? name : undefined);
    if (claimed !== undefined) {
      throw new RegistrationError(
        `Duplicate resource alias '${name}' applied to resource with URN '${urn}' conflicting with resource with URN '${claimed}'`,
        urn,
      );
    }
    plan.aliased.set(name, urn);
    deployment.snapshot.rename(name, urn);
    return old;
  }
  return undefined;
}
