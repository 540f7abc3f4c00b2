import type { ResourceState } from "./state";
import { referenceUrn } from "./urn";

/** The URNs that a resource depends on besides its parent's: dependsOn, property sources, deletedWith, provider. */
function neededUrns(resource: ResourceState): Set<string> {
  const urns = new Set(resource.dependencies);
  for (const list of Object.values(resource.propertyDependencies ?? {})) for (const urn of list) urns.add(urn);
  if (resource.deletedWith) urns.add(resource.deletedWith);
  if (resource.provider) urns.add(referenceUrn(resource.provider));
  return urns;
}

/**
 * The resources that depend on `root`, directly or not, in the order of the state, in which dependencies come first.
 * Being a child of `root` does not count as a dependency, since a parent is usually only a namespace.
 */
export function dependentsOf(
  resources: readonly ResourceState[],
  root: ResourceState,
  ignore: (urn: string) => boolean,
): ResourceState[] {
  const reached = new Set([root.urn]);
  const dependents: ResourceState[] = [];
  for (const candidate of resources.slice(resources.indexOf(root) + 1)) {
    if (ignore(candidate.urn)) continue;
    if (![...neededUrns(candidate)].some((urn) => reached.has(urn))) continue;
    dependents.push(candidate);
    reached.add(candidate.urn);
  }
  return dependents;
}

/**
 * The resources that `resource` directly depends on. Only those that come before it in the state count, since a URN
 * can occur twice in a state.
 */
function dependenciesOf(resources: readonly ResourceState[], resource: ResourceState): Set<ResourceState> {
  const before = resources.slice(0, resources.indexOf(resource));
  const needed = neededUrns(resource);
  const found = new Set<ResourceState>();
  for (const candidate of before) {
    if (candidate.urn === resource.parent) found.add(candidate);
    if (!needed.has(candidate.urn)) continue;
    found.add(candidate);
    if (!candidate.custom) for (const inner of descendantsOf(before, candidate)) found.add(inner);
  }
  return found;
}

export function transitiveDependenciesOf(
  resources: readonly ResourceState[],
  resource: ResourceState,
): Set<ResourceState> {
  const found = new Set<ResourceState>();
  const open = [resource];
  for (let next = open.pop(); next; next = open.pop()) {
    for (const dependency of dependenciesOf(resources, next)) {
      if (found.has(dependency)) continue;
      found.add(dependency);
      open.push(dependency);
    }
  }
  return found;
}

/**
 * Groups `condemned` into the order of deletion. The resources of one group can be deleted at the same time, since
 * everything that depends on them is in an earlier group.
 * @throws Error when the dependencies are circular
 */
export function deletionOrder(all: readonly ResourceState[], condemned: readonly ResourceState[]): ResourceState[][] {
  const left = new Set(condemned);
  const groups: ResourceState[][] = [];
  while (left.size > 0) {
    const group = [...left].filter((resource) => ![...dependenciesOf(all, resource)].some((it) => left.has(it)));
    if (group.length === 0) throw new Error("The dependencies in the state form a circle.");
    for (const resource of group) left.delete(resource);
    groups.unshift(group);
  }
  return groups;
}

function descendantsOf(resources: readonly ResourceState[], parent: ResourceState): ResourceState[] {
  const family = new Set([parent.urn]);
  return resources.filter((resource) => {
    if (!resource.parent || !family.has(resource.parent)) return false;
    family.add(resource.urn);
    return true;
  });
}
