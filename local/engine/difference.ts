import type { Deployment } from "./deployment";
import type { Goal } from "./goal";
import { type PropertyPath, parsePath, pathContains } from "./property-path";
import type { ResourceState } from "./state";
import { isProviderType } from "./urn";
import { plainProperties, sameValue } from "./values";

/** The difference between a resource and what the program wants. Paths are written as the provider writes them. */
export interface Difference {
  changed: boolean;
  diffs: string[];
  /** Paths of the properties whose change requires a replacement; empty when an update is enough. */
  replaces: string[];
  deleteBeforeReplace: boolean;
}

/** A pseudo-property: the resource exists but is not healthy. `replaceOnChanges: ["*"]` matches it. */
const INIT_ERROR = "#initerror";

export async function differenceOf(
  deployment: Deployment,
  goal: Goal,
  old: ResourceState,
  next: ResourceState,
  replaced: ReadonlySet<string>,
): Promise<Difference> {
  if (next.deletedWith && replaced.has(next.deletedWith)) return replacement("deletedWith");
  if (old.custom !== next.custom) return replacement("provider");
  if (!next.custom || isProviderType(next.type)) {
    const changed = !sameValue(old.inputs ?? {}, next.inputs ?? {});
    return { changed, diffs: [], replaces: [], deleteBeforeReplace: false };
  }
  const { changes, diffs, replaces, deleteBeforeReplace } = await deployment.provider(next.type, next.provider).diff({
    urn: next.urn,
    id: old.id ?? "",
    oldInputs: plainProperties(old.inputs),
    olds: plainProperties(old.outputs),
    news: plainProperties(next.inputs),
    ignoreChanges: goal.ignoreChanges,
  });
  const difference = { changed: changes === "some", diffs, replaces, deleteBeforeReplace };
  return replaceOnChanges(difference, goal.replaceOnChanges, (old.initErrors?.length ?? 0) > 0);
}

/** Turns changes that match `replaceOnChanges` into replacements (step_generator.go, `applyReplaceOnChanges`). */
export function replaceOnChanges(difference: Difference, options: readonly string[], unhealthy: boolean): Difference {
  if (!difference.changed && !unhealthy) return { ...difference, replaces: [] };
  const paths = options.map(parsePath);
  const covered = (path: PropertyPath) => paths.some((outer) => pathContains(outer, path));
  const replaces = difference.changed ? [...difference.replaces] : [];
  for (const diff of difference.diffs) {
    if (!replaces.includes(diff) && covered(parsePath(diff))) replaces.push(diff);
  }
  const initError = unhealthy && covered([INIT_ERROR]);
  if (initError) replaces.push(INIT_ERROR);
  return { ...difference, changed: difference.changed || initError, replaces };
}

function replacement(reason: string): Difference {
  return { changed: true, diffs: [reason], replaces: [reason], deleteBeforeReplace: false };
}
