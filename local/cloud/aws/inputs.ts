import { isDeepStrictEqual } from "node:util";
import {
  type CheckRequest,
  type CheckResult,
  type DiffRequest,
  type DiffResult,
  type Json,
  UNKNOWN,
} from "../provider";

/** An input of a resource, as described by the real provider's schema. */
interface Input {
  type: "string" | "strings" | "tags";
  required?: boolean;
  /** Whether a change of this input replaces the resource. */
  replaces?: boolean;
  /** Returns the problem of a value; undefined if the value is valid. */
  validate?(value: string): string | undefined;
}

export type Inputs = Record<string, Input>;

/** Reports missing, unknown and invalid inputs together, with the messages of the real provider. */
export function checkInputs(inputs: Inputs, { urn, news }: CheckRequest): CheckResult {
  const resource = urn.slice(urn.lastIndexOf("::") + 2);
  const failures: CheckResult["failures"] = [];
  const fail = (property: string, problem: string) =>
    failures.push({ property, reason: `${problem}. Examine values at '${resource}.${property}'.` });
  for (const [name, input] of Object.entries(inputs)) {
    const value = news[name];
    if (value === undefined || value === null) {
      if (input.required) {
        const missing = `The argument "${snakeCase(name)}" is required, but no definition was found.`;
        fail(name, `Missing required argument. ${missing}`);
      }
    } else if (!hasType(input.type, value)) {
      fail(name, `expected type ${typeNames[input.type]}, got ${JSON.stringify(value)}`);
    } else if (typeof value === "string" && value !== UNKNOWN) {
      const problem = input.validate?.(value);
      if (problem) fail(name, problem);
    }
  }
  for (const name of Object.keys(news)) {
    if (!(name in inputs) && name !== "__defaults") {
      failures.push({ property: name, reason: `An argument named "${snakeCase(name)}" is not expected here.` });
    }
  }
  const kept = Object.entries(news).filter(([, value]) => value !== null);
  return { inputs: Object.fromEntries(kept), failures };
}

export function diffInputs(inputs: Inputs, { oldInputs, news, ignoreChanges }: DiffRequest): DiffResult {
  const diffs: string[] = [];
  const replaces: string[] = [];
  for (const [name, input] of Object.entries(inputs)) {
    const changed = changedPaths(name, input, oldInputs[name] ?? null, news[name] ?? null).filter(
      (path) => !ignoreChanges.some((ignored) => ignored === "*" || path === ignored || path.startsWith(`${ignored}.`)),
    );
    diffs.push(...changed);
    if (input.replaces) replaces.push(...changed);
  }
  return { changes: diffs.length > 0 ? "some" : "none", diffs, replaces, deleteBeforeReplace: false };
}

function changedPaths(name: string, input: Input, before: Json, after: Json): string[] {
  if (input.type === "tags" && isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.filter((key) => before[key] !== after[key]).map((key) => `${name}.${key}`);
  }
  if (input.type === "strings" && Array.isArray(before) && Array.isArray(after)) {
    // The list is a set, so its order does not matter.
    return isDeepStrictEqual([...before].sort(), [...after].sort()) ? [] : [name];
  }
  const isEmpty = (value: Json) => value === null || (typeof value === "object" && Object.keys(value).length === 0);
  return isDeepStrictEqual(before, after) || (isEmpty(before) && isEmpty(after)) ? [] : [name];
}

const typeNames = { string: "string", strings: "list of strings", tags: "map of strings" };

function hasType(type: Input["type"], value: Json): boolean {
  if (value === UNKNOWN) return true;
  if (type === "string") return typeof value === "string";
  if (type === "strings") return Array.isArray(value) && value.every((item) => typeof item === "string");
  return isObject(value) && Object.values(value).every((item) => typeof item === "string");
}

function isObject(value: Json): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
