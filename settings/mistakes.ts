import { distance } from "fastest-levenshtein";
import type { z } from "zod";
import { knownKeys } from "./keys";
import { isSecretName, plainSecrets } from "./plain-secrets";

/** A mistake in the settings: its key, and the message about it. */
export interface Mistake {
  readonly key: string;
  readonly text: string;
}

/** The key of a path, with dots between its parts. */
export function keyOf(path: readonly PropertyKey[]): string {
  return path.map(String).join(".");
}

/**
 * Describes what a schema found wrong.
 *
 * @param prefix the path of the value that was checked
 * @param raw the values that `prefix` begins at
 * @param roots the schemas by the first part of a path
 */
export function describe(
  issue: z.core.$ZodIssue,
  prefix: PropertyKey[],
  raw: unknown,
  roots: Readonly<Record<string, z.core.$ZodType>>,
): Mistake[] {
  const path = [...prefix, ...issue.path];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(path, key, knownKeys(path, roots)));
    case "invalid_type":
      return [wrong(path, raw, issue.message.startsWith("Invalid input") ? noun(issue.expected) : issue.message)];
    case "invalid_value":
      return [wrong(path, raw, issue.values.map((value) => JSON.stringify(value)).join(" or "))];
    case "invalid_key":
      return [wrong(path, raw, issue.issues.map((each) => each.message).join(", "))];
    case "invalid_union": {
      // A union's own message lists what is allowed. If one alternative failed for a more specific reason than a wrong
      // type, the message of that alternative is more helpful.
      const deeper = issue.errors.flat().find((each) => each.code === "custom" || each.path.length > 0);
      return deeper ? describe(deeper, path, raw, roots) : [wrong(path, raw, issue.message)];
    }
    case "too_small":
      return [wrong(path, raw, issue.message.startsWith("Too small") ? "not empty" : issue.message)];
    case "custom": {
      const known: unknown = issue.params?.["known"];
      return [
        Array.isArray(known)
          ? unknownKey(path.slice(0, -1), String(path.at(-1)), known.map(String), issue.message)
          : wrong(path, raw, issue.message),
      ];
    }
    default:
      return [wrong(path, raw, issue.message)];
  }
}

function noun(expected: string): string {
  return (
    { string: "a text", boolean: "true or false", object: "a group of keys", record: "a group of keys" }[expected] ??
    expected
  );
}

/** Describes a value that is wrong or missing. The value is not shown if it may be a secret. */
export function wrong(path: PropertyKey[], raw: unknown, allowed: string): Mistake {
  const value = path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], raw);
  const name = String(path.at(-1)).replace(/^.*:/, "");
  // The values below `secret` are names of Secrets and of their keys, not secrets themselves.
  const holdsSecret = path.at(-2) !== "secret" && isSecretName(name);
  const shown = mayBeSecret(value) || holdsSecret ? "(not shown)" : shownValue(value);
  const key = keyOf(path);
  const state = value === undefined ? "is missing" : `is ${shown}`;
  return { key, text: `${key} ${state}; it must be ${allowed}` };
}

/** Whether a wrong value may be a secret, so that it must not be repeated in a message. False alarms are accepted. */
function mayBeSecret(value: unknown): boolean {
  const text = JSON.stringify(value) ?? "";
  return (
    /pass|pwd|secret|token|key|credential|bearer|cookie|:\/\/[^\s"]*@/i.test(text) || plainSecrets(value).length > 0
  );
}

/** The value as JSON. NaN and Infinity, which JSON doesn't have, are written as text. */
function shownValue(value: unknown): string {
  if (typeof value === "number") return String(value);
  const finite = (_: string, each: unknown) =>
    typeof each === "number" && !Number.isFinite(each) ? String(each) : each;
  return JSON.stringify(value, finite);
}

/**
 * Describes a key that doesn't exist, and names the one that was probably meant.
 *
 * @param why What makes the key unknown. Default: the list of the known keys.
 */
export function unknownKey(
  path: PropertyKey[],
  name: string,
  known: readonly string[],
  why = `allowed: ${known.join(", ")}`,
): Mistake {
  const [near] = known
    .filter((each) => each !== name && isNear(each.toLowerCase(), name.toLowerCase()))
    .sort((a, b) => distance(a, name) - distance(b, name));
  const key = keyOf([...path, name]);
  const proposed = near ? `did you mean ${keyOf([...path, near])}? ` : "";
  return { key, text: `unknown setting ${key}; ${proposed}${why}` };
}

/** Whether a key differs from a known one by at most two edits, or only lacks some of its letters. */
function isNear(known: string, key: string): boolean {
  if (distance(known, key) <= 2) return true;
  let found = 0;
  for (const letter of known) if (letter === key[found]) found++;
  return key.length >= 4 && found === key.length;
}
