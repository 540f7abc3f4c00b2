import { distance } from "fastest-levenshtein";
import type { z } from "zod";
import { oneLine } from "../text/printable";
import { knownKeys } from "./keys";
import { isSecretName, plainSecrets } from "./plain-secrets";
import { rules } from "./rules";
import { type Section, type Settings, sections } from "./schema";

const SECTIONS = Object.keys(sections) as Section[];

/** A mistake in the settings: its key, and the message about it. */
interface Mistake {
  readonly key: string;
  readonly text: string;
}

/**
 * Returns the settings with their defaults, or a line for each mistake.
 *
 * @param raw the values under the project's name in `Pulumi.<stack>.yaml`, by their keys
 * @param wanted the sections to read; default: all. The other sections aren't checked.
 */
export function parseSettings<S extends Section = Section>(
  raw: Record<string, unknown>,
  wanted: readonly S[] = SECTIONS as S[],
): { settings?: Pick<Settings, S>; problems: string[] } {
  const own = Object.fromEntries(Object.entries(raw).filter(([key]) => wanted.some((section) => section === key)));
  const mistakes = Object.keys(raw)
    .filter((key) => !Object.hasOwn(sections, key))
    .map((key) => unknownKey([], key, SECTIONS));
  // A key named `__proto__` is refused, because code that reads the settings
  // would skip it or use its content as defaults.
  mistakes.push(...prototypes(own));

  const parsed: Partial<Record<Section, unknown>> = {};
  for (const section of wanted) {
    const result = sections[section].safeParse(own[section]);
    if (result.success) parsed[section] = result.data;
    else mistakes.push(...result.error.issues.flatMap((issue) => describe(issue, [section], own)));
  }

  for (const { path, message } of plainSecrets(own)) {
    const key = keyOf(path);
    if (!mistakes.some((mistake) => mistake.key === key)) mistakes.push({ key, text: `${key} ${message}` });
  }
  const settings = parsed as Settings;
  for (const rule of rules) {
    if (rule.needs.every((section) => section in parsed)) {
      mistakes.push(...rule.broken(settings).map(({ path, allowed }) => wrong(path, own, allowed)));
    }
  }
  return mistakes.length > 0 ? { problems: mistakes.map(({ text }) => oneLine(text)) } : { settings, problems: [] };
}

function keyOf(path: readonly PropertyKey[]): string {
  return path.map(String).join(".");
}

/** Finds keys named `__proto__`, at any depth. */
function prototypes(value: unknown, path: string[] = []): Mistake[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const key = keyOf([...path, name]);
    return name === "__proto__" && path.length > 0
      ? [{ key, text: `unknown setting ${key}` }]
      : prototypes(inner, [...path, name]);
  });
}

function describe(issue: z.core.$ZodIssue, prefix: PropertyKey[], raw: unknown): Mistake[] {
  const path = [...prefix, ...issue.path];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(path, key, knownKeys(path)));
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
      return deeper ? describe(deeper, path, raw) : [wrong(path, raw, issue.message)];
    }
    case "too_small":
      return [wrong(path, raw, issue.message.startsWith("Too small") ? "not empty" : issue.message)];
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

function wrong(path: PropertyKey[], raw: unknown, allowed: string): Mistake {
  const value = path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], raw);
  const shown = mayBeSecret(value) || isSecretName(String(path.at(-1))) ? "(not shown)" : shownValue(value);
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

function unknownKey(path: PropertyKey[], name: string, known: readonly string[]): Mistake {
  const near = known.find((each) => each !== name && isNear(each.toLowerCase(), name.toLowerCase()));
  const key = keyOf([...path, name]);
  const proposed = near ? `did you mean ${keyOf([...path, near])}? ` : "";
  return { key, text: `unknown setting ${key}; ${proposed}allowed: ${known.join(", ")}` };
}

/** Whether a key differs from a known one by at most two edits, or only lacks some of its letters. */
function isNear(known: string, key: string): boolean {
  if (distance(known, key) <= 2) return true;
  let found = 0;
  for (const letter of known) if (letter === key[found]) found++;
  return key.length >= 4 && found === key.length;
}
