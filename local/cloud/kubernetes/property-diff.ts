import { type Json, type Properties, UNKNOWN } from "../provider";

export interface PropertyChange {
  /** The path in Pulumi's notation, such as `spec.template.spec.containers[0].image`. */
  path: string;
  keys: (string | number)[];
  /** The new value; undefined if the property was removed. */
  value: Json | undefined;
}

/**
 * The parts of `live` that also occur in `shape`, with list items matched by position. Properties that only the server
 * adds are left out, since they are not changes.
 */
export function prune(live: Json | undefined, shape: Json | undefined): Json | undefined {
  if (isMap(live) && isMap(shape)) {
    const kept = Object.keys(shape).filter((key) => key in live);
    return Object.fromEntries(kept.map((key) => [key, prune(live[key], shape[key])!]));
  }
  if (Array.isArray(live) && Array.isArray(shape)) {
    return live.map((item, i) => (i < shape.length ? prune(item, shape[i])! : item));
  }
  return live;
}

/** The leaves in which the two values differ. */
export function changesBetween(
  old: Json | undefined,
  now: Json | undefined,
  keys: (string | number)[] = [],
): PropertyChange[] {
  if (isMap(old) && isMap(now)) {
    const all = [...new Set([...Object.keys(old), ...Object.keys(now)])];
    return all.flatMap((key) => changesBetween(old[key], now[key], [...keys, key]));
  }
  if (Array.isArray(old) && Array.isArray(now)) {
    const length = Math.max(old.length, now.length);
    return Array.from({ length }, (_, i) => changesBetween(old[i], now[i], [...keys, i])).flat();
  }
  if (old === now || (isAbsent(old) && isAbsent(now))) return [];
  return [{ path: formatPath(keys), keys, value: now }];
}

export function formatPath(keys: (string | number)[]): string {
  return keys.reduce<string>((path, key) => {
    if (typeof key === "number") return `${path}[${key}]`;
    if (/[."[\]]/.test(key)) return `${path}["${key.replaceAll('"', '\\"')}"]`;
    return path ? `${path}.${key}` : key;
  }, "");
}

/** Splits a path into keys: `metadata.annotations["a.b"]`, `spec.ports[0]`, `spec.ports[*]`. A `*` matches any key. */
export function parsePath(path: string): (string | number)[] {
  const keys: (string | number)[] = [];
  for (const [, quoted, index, plain] of path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+|\*)\]|([^.[\]]+)/g)) {
    if (quoted !== undefined) keys.push(quoted.replaceAll('\\"', '"'));
    else if (index !== undefined) keys.push(index === "*" ? "*" : Number(index));
    else keys.push(plain!);
  }
  return keys;
}

/** Whether `prefix`, which may contain `*`, is the same path as `keys` or above it. */
export function contains(prefix: (string | number)[], keys: (string | number)[]): boolean {
  return prefix.length <= keys.length && prefix.every((key, i) => key === "*" || key === keys[i]);
}

/** Whether a change affects `pattern`: its path is at or below the pattern, or its new value contains the pattern. */
export function touches(pattern: (string | number)[], { keys, value }: PropertyChange): boolean {
  if (contains(pattern, keys)) return true;
  const above = keys.every((key, i) => pattern[i] === "*" || pattern[i] === key);
  return above && reaches(value, pattern.slice(keys.length));
}

function reaches(value: Json | undefined, [key, ...rest]: (string | number)[]): boolean {
  if (key === undefined || value === UNKNOWN) return true;
  if (key === "*") return Array.isArray(value) && value.some((item) => reaches(item, rest));
  return isMap(value) && key in value && reaches(value[key], rest);
}

export function hasUnknown(value: Json | undefined): boolean {
  if (value === UNKNOWN) return true;
  if (Array.isArray(value)) return value.some(hasUnknown);
  return isMap(value) && Object.values(value).some(hasUnknown);
}

export function isMap(value: Json | undefined): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value is absent. In a manifest null means that the property is not set. */
function isAbsent(value: Json | undefined): boolean {
  return value === undefined || value === null;
}
