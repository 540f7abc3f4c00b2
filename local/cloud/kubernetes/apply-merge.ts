import type { Json } from "../provider";
import { leavesOf, managedPaths, SEPARATOR } from "./managed-fields";
import type { KubernetesObject } from "./object";
import { isMap } from "./property-diff";

/**
 * The object that a server-side apply asks for: what the manager gives, and the fields of the existing object that
 * other managers own and that it does not give. A field that nobody else owns falls back to its default
 * (https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management).
 */
export function withFieldsOfOthers(
  given: KubernetesObject,
  previous: KubernetesObject,
  manager: string,
): KubernetesObject {
  const merged = structuredClone(given);
  const own = new Map(leavesOf(given));
  const existing = new Map(leavesOf(previous));
  for (const path of managedPaths(previous, (entry) => entry.manager !== manager || entry.operation !== "Apply")) {
    if (!own.has(path) && existing.has(path)) copy(path.split(SEPARATOR), previous as Json, merged as Json);
  }
  return merged;
}

/** Copies one field, and what it is in, as far as `to` lacks it. */
function copy([key, ...rest]: string[], from: Json | undefined, to: Json): void {
  if (key === undefined || key === ".") return;
  if (key.startsWith("f:") && isMap(from) && isMap(to)) {
    const name = key.slice(2);
    const value = from[name];
    if (value === undefined) return;
    if (rest.length === 0) to[name] ??= structuredClone(value);
    else {
      to[name] ??= Array.isArray(value) ? [] : {};
      copy(rest, value, to[name]);
    }
    return;
  }
  if (!key.startsWith("k:") || !Array.isArray(from) || !Array.isArray(to)) return;
  const parts = Object.entries(JSON.parse(key.slice(2)) as Record<string, Json>);
  const isItem = (item: Json) =>
    isMap(item) && parts.every(([name, value]) => (item[name] ?? (name === "protocol" ? "TCP" : undefined)) === value);
  let item = to.find(isItem);
  if (item === undefined) {
    item = Object.fromEntries(parts);
    to.push(item);
  }
  copy(rest, from.find(isItem), item);
}
