import type { Json, Properties } from "../provider";
import { managedPaths, SEPARATOR } from "./managed-fields";
import type { KubernetesObject } from "./object";
import { isMap } from "./property-diff";

/**
 * The inputs as Pulumi's provider applies them with the option `ignoreChanges`: without a field that only other
 * managers own, and with the live value of every other one (pulumi-kubernetes 4.34, provider/pkg/await/await.go,
 * handleSSAIgnoreFields). Like there, a path has only keys of maps.
 */
export function withIgnoredFields(
  inputs: Properties,
  live: KubernetesObject,
  manager: string,
  ignoreChanges: readonly string[],
): Properties {
  const applied = structuredClone(inputs);
  const ours = managedPaths(live, (entry) => entry.manager === manager);
  const theirs = managedPaths(live, (entry) => entry.manager !== manager);
  for (const path of ignoreChanges) {
    const keys = path.split(".");
    const field = keys.map((key) => `f:${key}`).join(SEPARATOR);
    const owns = (paths: Set<string>) => [...paths].some((each) => `${each}${SEPARATOR}`.startsWith(field + SEPARATOR));
    const value = keys.reduce<Json | undefined>((at, key) => (isMap(at) ? at[key] : undefined), live as Json);
    if (owns(theirs) && !owns(ours)) set(applied, keys, undefined);
    else if (value !== undefined) set(applied, keys, value);
  }
  return applied;
}

/** Sets the value at the keys; undefined removes it. */
function set(into: Properties, [key, ...rest]: string[], value: Json | undefined): void {
  if (key === undefined) return;
  if (rest.length > 0) {
    const inner = isMap(into[key]) ? into[key] : {};
    if (value !== undefined) into[key] = inner;
    set(inner, rest, value);
  } else if (value === undefined) delete into[key];
  else into[key] = value;
}
