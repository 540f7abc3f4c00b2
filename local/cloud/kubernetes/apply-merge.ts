import type { Json } from "../provider";
import { leavesOf, managedPaths, SEPARATOR } from "./managed-fields";
import type { KubernetesObject } from "./object";
import { isMap } from "./property-diff";

/**
 * The object that a server-side apply asks for: what the manager gives, and the fields of the existing object that
 * other managers own and that it does not give. A field that the manager alone has owned falls back to its default
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
  const isOwn = (entry: { manager: string; operation: string }) =>
    entry.manager === manager && entry.operation === "Apply";
  const before = managedPaths(previous, isOwn);
  // A tool gives up its fields when they are handed over. Those that nobody owns then stay as they are.
  const unowned = [...existing.keys()].filter((path) => !before.has(path) && staysUnowned(previous, path, before));
  for (const path of [...managedPaths(previous, (entry) => !isOwn(entry)), ...unowned]) {
    if (!own.has(path) && existing.has(path)) copy(path.split(SEPARATOR), previous as Json, merged as Json);
  }
  return merged;
}

/** Whether it is a field that a hand-over leaves without an owner. All others without one are defaults of the server. */
function staysUnowned({ kind }: KubernetesObject, path: string, before: ReadonlySet<string>): boolean {
  const keys = path.split(SEPARATOR);
  if (keys.some((_, index) => before.has([...keys.slice(0, index), "."].join(SEPARATOR)))) return false;
  if (kind === "Service") return !["f:clusterIP", "f:clusterIPs", "f:nodePort"].includes(keys.at(-1) ?? "");
  return keys[0] === "f:metadata" || path === ["f:spec", "f:replicas"].join(SEPARATOR);
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
