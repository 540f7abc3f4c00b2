import { distance } from "fastest-levenshtein";
import type { z } from "zod";
import { oneLine } from "../text/printable";
import { isSecretName, plainSecrets } from "./plain-secrets";
import { rules, type Section, type Settings, sections } from "./schema";

/**
 * The settings, with their defaults, or all that is wrong with them.
 *
 * @param raw what stands below the project's name in `Pulumi.<stack>.yaml`, one entry a key
 */
export function parseSettings(raw: Record<string, unknown>): { settings?: Settings; problems: string[] } {
  const problems: string[] = [];
  for (const key of Object.keys(raw))
    if (!Object.hasOwn(sections, key)) problems.push(unknownKey([], key, Object.keys(sections)));

  // An object's own prototype: what reads the settings passes it over, or takes what is in it for defaults.
  problems.push(...prototypes(raw));

  const parsed: Partial<Record<Section, unknown>> = {};
  for (const [section, schema] of Object.entries(sections) as [Section, z.ZodType][]) {
    const result = schema.safeParse(raw[section]);
    if (result.success) parsed[section] = result.data;
    else problems.push(...result.error.issues.flatMap((issue) => describe(issue, [section], raw)));
  }

  const named = (key: string) =>
    problems.some((problem) => problem.replace("unknown setting ", "").match(/^[^ ;]*/)?.[0] === key);
  for (const { path, message } of plainSecrets(raw)) {
    const key = path.map(String).join(".");
    if (!named(key)) problems.push(`${key} ${message}`);
  }
  const settings = parsed as Settings;
  for (const rule of rules) {
    if (rule.needs.every((section) => section in parsed)) {
      problems.push(...rule.broken(settings).map(({ path, allowed }) => line(path, raw, allowed)));
    }
  }
  return problems.length > 0 ? { problems: problems.map(oneLine) } : { settings, problems };
}

/** Paths of keys named `__proto__`, at any depth. */
function prototypes(value: unknown, path: string[] = []): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "__proto__" && path.length > 0
      ? [`unknown setting ${[...path, key].join(".")}`]
      : prototypes(inner, [...path, key]),
  );
}

function describe(issue: z.core.$ZodIssue, prefix: PropertyKey[], raw: unknown): string[] {
  const path = [...prefix, ...issue.path];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(path, key, knownKeys(path)));
    case "invalid_type":
      return [line(path, raw, issue.message.startsWith("Invalid input") ? noun(issue.expected) : issue.message)];
    case "invalid_value":
      return [line(path, raw, issue.values.map((value) => JSON.stringify(value)).join(" or "))];
    case "invalid_key":
      return [line(path, raw, issue.issues.map((each) => each.message).join(", "))];
    case "invalid_union": {
      // A union's own message says what is allowed; where one alternative got further than "wrong type", its word is better.
      const deeper = issue.errors.flat().find((each) => each.code === "custom" || each.path.length > 0);
      return deeper ? describe(deeper, path, raw) : [line(path, raw, issue.message)];
    }
    case "too_small":
      return [line(path, raw, issue.message.startsWith("Too small") ? "not empty" : issue.message)];
    default:
      return [line(path, raw, issue.message)];
  }
}

function noun(expected: string): string {
  return (
    { string: "a text", boolean: "true or false", object: "a group of keys", record: "a group of keys" }[expected] ??
    expected
  );
}

function line(path: PropertyKey[], raw: unknown, allowed: string): string {
  const value = path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], raw);
  const shown = mayBeSecret(value) || isSecretName(String(path.at(-1))) ? "(not shown)" : shownValue(value);
  const key = path.map(String).join(".");
  return value === undefined ? `${key} is missing; it must be ${allowed}` : `${key} is ${shown}; it must be ${allowed}`;
}

/** Asked before a wrong value is repeated in a message: rather too careful than not enough. */
function mayBeSecret(value: unknown): boolean {
  const text = JSON.stringify(value) ?? "";
  return (
    /pass|pwd|secret|token|key|credential|bearer|cookie|:\/\/[^\s"]*@/i.test(text) || plainSecrets(value).length > 0
  );
}

/** As JSON, with the numbers that JSON has no word for. */
function shownValue(value: unknown): string {
  if (typeof value === "number") return String(value);
  const finite = (_: string, each: unknown) =>
    typeof each === "number" && !Number.isFinite(each) ? String(each) : each;
  return JSON.stringify(value, finite);
}

function unknownKey(path: PropertyKey[], key: string, known: string[]): string {
  const near = known.find((each) => each !== key && isNear(each.toLowerCase(), key.toLowerCase()));
  const full = [...path, key].map(String).join(".");
  return `unknown setting ${full}; ${near ? `did you mean ${[...path, near].map(String).join(".")}? ` : ""}allowed: ${known.join(", ")}`;
}

/** Whether a key is written with up to two wrong letters, or with letters left out of its middle or end. */
function isNear(known: string, key: string): boolean {
  if (distance(known, key) <= 2) return true;
  let found = 0;
  for (const letter of known) if (letter === key[found]) found++;
  return key.length >= 4 && found === key.length;
}

/** The keys that an object schema at this path knows; for a choice of objects, those of all alternatives. */
function knownKeys([section, ...rest]: PropertyKey[]): string[] {
  let schemas: z.core.$ZodType[] = [sections[section as Section]];
  for (const key of rest) schemas = schemas.flatMap(unwrap).flatMap((schema) => child(schema, key));
  return [...new Set(schemas.flatMap(unwrap).flatMap((schema) => Object.keys(shape(schema))))];
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType[] {
  const def = schema._zod.def as { innerType?: z.core.$ZodType; options?: z.core.$ZodType[] };
  if (def.innerType) return unwrap(def.innerType);
  return def.options ? def.options.flatMap(unwrap) : [schema];
}

function shape(schema: z.core.$ZodType): Record<string, z.core.$ZodType> {
  return (schema._zod.def as { shape?: Record<string, z.core.$ZodType> }).shape ?? {};
}

function child(schema: z.core.$ZodType, key: PropertyKey): z.core.$ZodType[] {
  const def = schema._zod.def as { element?: z.core.$ZodType; valueType?: z.core.$ZodType };
  const found = shape(schema)[String(key)] ?? def.element ?? def.valueType;
  return found ? [found] : [];
}
