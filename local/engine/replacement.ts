import { UNKNOWN } from "../cloud/provider";
import type { Deployment } from "./deployment";
import { replaceOnChanges } from "./difference";
import { dependentsOf } from "./graph";
import type { Plan } from "./plan";
import type { ResourceState } from "./state";
import { isProviderType, referenceUrn } from "./urn";
import { mapProperties, plainProperties } from "./values";

/**
 * What has to be deleted before `root` is, because the deletion of `root` would force its replacement. Each dependent is
 * compared once more with unknowns in place of whatever it takes from a resource that goes; those that their provider
 * would then replace go too. In order of dependencies (step_generator.go, `calculateDependentReplacements`).
 */
export async function dependentReplacements(
  deployment: Deployment,
  plan: Plan,
  root: ResourceState,
): Promise<ResourceState[]> {
  const going = new Set([root.urn]);
  const found: ResourceState[] = [];
  const { base } = deployment.snapshot;
  // A resource that this run has judged already can't depend on one that it judges only now.
  const judged = (urn: string) =>
    [plan.reads, plan.creates, plan.sames, plan.updates, plan.deletes, plan.replaces].some((set) => set.has(urn));
  for (const dependent of dependentsOf(base, root, { ignore: judged, children: false })) {
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
  const { changes, diffs, replaces, deleteBeforeReplace } = await deployment.provider(resource.type).diff({
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
