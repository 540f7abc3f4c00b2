import { UNKNOWN } from "../cloud/provider";
import { checkInputs } from "./check-inputs";
import { type Decisions, RegistrationError, type Reply } from "./decisions";
import type { Deployment } from "./deployment";
import { type Difference, replaceOnChanges } from "./difference";
import type { Goal } from "./goal";
import { dependentsOf } from "./graph";
import type { ResourceState } from "./state";
import type { Step } from "./step";
import { isProviderType, referenceUrn } from "./urn";
import { mapProperties, plainProperties } from "./values";

/**
 * The resources that must be deleted before `root` because its deletion forces their replacement, in order of their
 * dependencies (step_generator.go, `calculateDependentReplacements`). Each dependent is compared once more, with
 * unknown values for the properties that come from a resource to be deleted. If its provider would then replace it, it
 * is deleted too.
 */
async function dependentReplacements(
  deployment: Deployment,
  plan: Decisions,
  root: ResourceState,
): Promise<ResourceState[]> {
  const going = new Set([root.urn]);
  const found: ResourceState[] = [];
  const { base } = deployment.snapshot;
  // A resource that was registered earlier in this run can't depend on one that is registered only now.
  const judged = (urn: string) =>
    [plan.reads, plan.creates, plan.sames, plan.updates, plan.deletes, plan.replaces].some((set) => set.has(urn));
  for (const dependent of dependentsOf(base, root, judged)) {
    if (!(await mustGo(deployment, dependent, going))) continue;
    found.push(dependent);
    going.add(dependent.urn);
  }
  const together = base.filter((resource) => resource.deletedWith === root.urn && !found.includes(resource));
  return [...found, ...together.filter((resource) => !judged(resource.urn))];
}

async function mustGo(deployment: Deployment, resource: ResourceState, going: Set<string>): Promise<boolean> {
  if (!resource.custom || resource.external) return false;
  if (resource.provider && going.has(referenceUrn(resource.provider))) return true;
  if (resource.deletedWith && going.has(resource.deletedWith)) return true;
  const uncertain = (key: string) => (resource.propertyDependencies?.[key] ?? []).some((urn) => going.has(urn));
  const inputs = plainProperties(resource.inputs);
  if (!Object.keys(inputs).some(uncertain) || isProviderType(resource.type)) return false;
  const { changes, diffs, replaces, deleteBeforeReplace } = await deployment
    .provider(resource.type, resource.provider)
    .diff({
      urn: resource.urn,
      id: resource.id ?? "",
      oldInputs: inputs,
      olds: plainProperties(resource.outputs),
      news: mapProperties(inputs, (value, key) => (uncertain(key) ? UNKNOWN : value)),
      ignoreChanges: resource.ignoreChanges ?? [],
    });
  const difference = { changed: changes === "some", diffs, replaces, deleteBeforeReplace };
  return replaceOnChanges(difference, resource.replaceOnChanges ?? [], false).replaces.length > 0;
}

interface Replaced {
  old: ResourceState;
  next: ResourceState;
  difference: Difference;
  reply: Reply;
}

/**
 * Creates the new resource first and leaves the old one to be deleted at the end of the run, or deletes the old one
 * first if the program or the provider requires that.
 * @throws RegistrationError when a resource to be replaced is protected
 */
export async function replacementSteps(
  deployment: Deployment,
  plan: Decisions,
  goal: Goal,
  { old, next, difference, reply }: Replaced,
): Promise<Step[]> {
  const { urn } = next;
  if (old.protect && next.protect) {
    const message =
      `unable to replace resource "${urn}" as it is currently marked for protection. ` +
      "Remove `protect` from it in the program and run `up`; then it can be replaced.";
    if (!deployment.preview) throw new RegistrationError(message, urn);
    deployment.fail(message, urn);
  }
  plan.replaces.add(urn);
  // The inputs were completed with the old resource's values; a new resource gets its own defaults.
  await checkInputs(deployment, goal, next, undefined);
  const { diffs, replaces } = difference;
  const why = { urn, old, next, diffs, replaces };
  if (!(goal.deleteBeforeReplace ?? difference.deleteBeforeReplace)) {
    return [
      { op: "create-replacement", ...why, deletesLater: !old.pendingReplacement, reply },
      { op: "replace", ...why },
    ];
  }
  const steps: Step[] = [];
  for (const dependent of (await dependentReplacements(deployment, plan, old)).reverse()) {
    if (plan.condemned.has(dependent)) continue;
    if (dependent.protect && !dependent.delete) {
      throw new RegistrationError(
        `unable to replace resource "${dependent.urn}" as part of replacing "${urn}" as it is currently marked for ` +
          "protection. Remove `protect` from it in the program and run `up`; then it can be replaced.",
        dependent.urn,
      );
    }
    steps.push(deletion(plan, dependent));
  }
  if (!old.pendingReplacement) steps.push({ ...deletion(plan, old), diffs, replaces });
  return [...steps, { op: "replace", ...why }, { op: "create-replacement", ...why, reply }];
}

/** Deletes a resource of the state before its replacement is created, in this run or the next. */
function deletion(plan: Decisions, old: ResourceState): Step {
  plan.condemned.add(old);
  plan.deletes.add(old.urn);
  const op = old.delete ? "delete" : old.external ? "discard-replaced" : "delete-replaced";
  return { op, urn: old.urn, old, createsLater: !old.delete, takenAlong: plan.takenAlong(old) };
}
