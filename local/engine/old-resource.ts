import type { Deployment } from "./deployment";
import type { Alias, Goal } from "./goal";
import { type Plan, RegistrationError } from "./plan";
import type { ResourceState } from "./state";
import { createUrn, qualifiedType, STACK_TYPE, urnName, urnType } from "./urn";

/** Finds what the state knows of a resource: under its own name first, then under those it had before. */
export function findOld(deployment: Deployment, goal: Goal, urn: string, plan: Plan): ResourceState | undefined {
  const byUrn = (name: string) => deployment.snapshot.base.find((it) => it.urn === name && !it.delete);
  const own = byUrn(urn);
  if (own) return own;
  for (const name of formerNames(deployment, goal, plan)) {
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

function formerNames(deployment: Deployment, goal: Goal, plan: Plan): string[] {
  const own = goal.aliases.map((alias) => collapse(deployment, goal, alias, plan));
  const oldParent = formerName(plan, goal.parent);
  if (oldParent === undefined) return own;
  const inherited = [
    { type: goal.type, name: goal.name },
    ...own.map((urn) => ({ type: urnType(urn), name: urnName(urn) })),
  ];
  return [...own, ...inherited.map(({ type, name }) => inherit(deployment, goal.parent, oldParent, type, name))];
}

function collapse({ options }: Deployment, goal: Goal, alias: Alias, plan: Plan): string {
  if (alias.urn !== undefined) return alias.urn;
  let parent = alias.parent === "" ? goal.parent : (formerName(plan, alias.parent) ?? alias.parent);
  if (alias.noParent || qualifiedType(parent) === STACK_TYPE) parent = "";
  const { stack, project } = alias;
  return createUrn(
    stack || options.stack,
    project || options.project,
    parent,
    alias.type || goal.type,
    alias.name || goal.name,
  );
}

/** Children named after their parent, `app-service` in `app`, were named after its former name too. */
function inherit({ options }: Deployment, parent: string, oldParent: string, type: string, name: string): string {
  const prefix = urnName(parent);
  const oldName = name.startsWith(prefix) ? urnName(oldParent) + name.slice(prefix.length) : name;
  return createUrn(options.stack, options.project, oldParent, type, oldName);
}

function formerName(plan: Plan, urn: string): string | undefined {
  for (const [from, to] of plan.aliased) if (to === urn) return from;
  return undefined;
}
