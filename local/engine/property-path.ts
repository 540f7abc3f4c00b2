import type { Json, Properties } from "../cloud/provider";
import { isObject } from "./values";

export type PropertyPath = (string | number)[];

/**
 * Parses a path such as `spec.containers[0]["a.b"]`; a lone `*` matches any key or index
 * (sdk/go/common/resource/property_path.go).
 * @throws Error when the text is not a path
 */
export function parsePath(text: string): PropertyPath {
  const path: PropertyPath = [];
  const token = /\.?([^.[\]"]+)|\[(\d+)\]|\[\*\]|\["((?:[^"\\]|\\.)*)"\]/gy;
  while (token.lastIndex < text.length) {
    const found = token.exec(text);
    if (found === null) throw new Error(`"${text}" is not a property path`);
    const [, key, index, quoted] = found;
    if (key !== undefined) path.push(key);
    else if (index !== undefined) path.push(Number(index));
    else path.push(quoted === undefined ? "*" : quoted.replace(/\\(.)/g, "$1"));
  }
  return path;
}

/** Whether `inner` is the same path as `outer` or lies below it. */
export function pathContains(outer: PropertyPath, inner: PropertyPath): boolean {
  return outer.length <= inner.length && outer.every((part, i) => part === "*" || part === inner[i]);
}

/**
 * Applies `ignoreChanges` to one path: sets the property at `path` in `news` to its value in `olds`, or removes it if
 * `olds` has none. Returns false if the property's parent exists on one side only, so that it can't be ignored.
 */
export function resetPath(path: PropertyPath, olds: Properties, news: Properties): boolean {
  return reset(path, olds, news);
}

function reset(path: PropertyPath, olds: Json | undefined, news: Json | undefined): boolean {
  const [head, ...rest] = path;
  if (head === undefined) return false;
  const sides = [olds, news].map((side) => (isObject(side) || Array.isArray(side) ? side : undefined));
  const [old, fresh] = sides as (Record<string | number, Json> | undefined)[];
  if (old === undefined || fresh === undefined) return old === fresh;
  if (Array.isArray(old) !== Array.isArray(fresh)) return false;
  if (head === "*") {
    const keys = [...new Set([...Object.keys(old), ...Object.keys(fresh)])];
    return keys.map((key) => reset([key, ...rest], olds, news)).every(Boolean);
  }
  if (rest.length > 0) return reset(rest, old[head], fresh[head]);
  if (Array.isArray(old) && !(head in old && head in fresh)) return false;
  const value = old[head];
  if (value === undefined) delete fresh[head];
  else fresh[head] = structuredClone(value);
  return true;
}
