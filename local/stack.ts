import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { parse } from "yaml";
import { settingsNamespace } from "../settings/namespace";
import { isSecretName, plainSecretIn, plainSecrets } from "../settings/plain-secrets";
import { namespaceValues, qualify, readKeys, stackConfig } from "../settings/stack-file";
import { yamlProblem } from "../text/named-file";
import type { Json } from "./cloud/provider";
import { stackDirectory } from "./engine/state";
import { readKept } from "./kept-settings";
import { UsageError } from "./usage-error";

/** One stack of one Pulumi project: the program's directory, the settings, and the directory of the state. */
export interface Stack {
  project: string;
  name: string;
  /** The program's directory, which contains Pulumi.yaml. */
  directory: string;
  /** The settings as Pulumi passes them to a program: keys are fully qualified (`release:app`), objects are JSON. */
  config: Record<string, string>;
  /** The same settings, parsed, but only those of the release, such as `app` and `database`. */
  settings: Record<string, Json>;
  stateDir: string;
  /** The options that were typed to select this stack; proposed commands repeat them. */
  location: string[];
  /** The `key=value` settings as typed; a proposed command that runs the program repeats them. */
  overrides: string[];
  /** The `key=value` settings that `npm run local -- config` keeps; those of `overrides` precede them. */
  kept: string[];
  /** A note for the user about the file that the settings come from. */
  note?: string | undefined;
}

export interface StackOptions {
  directory: string;
  name: string;
  stateDir: string;
  /** The `key=value` settings as typed. */
  overrides: string[];
  location?: string[];
}

type Tree = { [key: string]: Json };

/**
 * Reads Pulumi.yaml and Pulumi.<stack>.yaml as the Pulumi CLI does, without writing either. A stack that has no file of
 * its own uses the settings of Pulumi.local.yaml, so that `--stack other` is a second installation of the same app.
 * @throws UsageError with all problems of the files and settings
 */
export function readStack({ directory, name, stateDir, overrides, location = [] }: StackOptions): Stack {
  const problems: string[] = [];
  // The first character is a letter or digit, so that no stack's folder is `..`.
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/.test(name)) {
    problems.push(`--stack is ${JSON.stringify(name)}; it must be letters, digits, "-", "_" and ".", at most 100`);
  }
  const program = readKeys(join(directory, "Pulumi.yaml"), problems);
  if (program === undefined) {
    throw new UsageError([
      ...problems,
      `${directory} has no Pulumi.yaml; --cwd must name the folder of a Pulumi program`,
    ]);
  }
  const project = typeof program["name"] === "string" ? program["name"] : "";
  if (project === "") problems.push(`${join(directory, "Pulumi.yaml")} has no name`);

  const ownFile = `Pulumi.${name}.yaml`;
  const borrowed = name !== "local" && !existsSync(join(directory, ownFile));
  const file = borrowed ? "Pulumi.local.yaml" : ownFile;
  const stackFile = readKeys(join(directory, file), problems);

  const values = stackConfig(project, program, stackFile ?? {});
  for (const [key, value] of values)
    if (holdsSecure(value))
      problems.push(
        `${file}: ${key} is encrypted for the Pulumi CLI and can't be read here; local settings hold no secrets, put them into a Secret`,
      );
  const kept = problems.length === 0 ? readKept(stackDirectory(resolve(stateDir), project, name)) : [];
  for (const override of [...kept, ...overrides]) applyOverride(values, project, override, problems);
  for (const [key, value] of values) {
    if (holdsInfinity(value)) problems.push(`${key} holds a number that is too large, or none, such as 1e309 or .nan`);
  }
  if (problems.length > 0) throw new UsageError(problems);

  const given = [...values].filter(([, value]) => value !== null);
  // A key named `__proto__` is kept like any other key; the program rejects it.
  const config = Object.fromEntries(
    given.map(([key, value]) => [key, typeof value === "object" ? JSON.stringify(value) : String(value)]),
  );
  const notes = [
    ...(borrowed
      ? [`There is no ${ownFile}; the settings are those of ${stackFile === undefined ? "Pulumi.yaml" : file}.`]
      : []),
    ...keptNote(kept),
  ];
  return {
    project,
    name,
    directory: resolve(directory),
    config,
    settings: namespaceValues(settingsNamespace(project, values.keys()), values),
    stateDir: resolve(stateDir),
    location,
    overrides,
    kept,
    note: notes.length > 0 ? notes.join("\n") : undefined,
  };
}

function keptNote(kept: readonly string[]): string[] {
  if (kept.length === 0) return [];
  return [`Settings that \`npm run local -- config\` keeps are used: ${kept.map(shownOverride).join(", ")}.`];
}

/** Returns those of some `key=value` settings that change something of what the stack's files say. */
export function neededSettings(
  { directory, name }: Pick<StackOptions, "directory" | "name">,
  settings: readonly string[],
): string[] {
  const program = readKeys(join(directory, "Pulumi.yaml"), []) ?? {};
  const project = typeof program["name"] === "string" ? program["name"] : "";
  const own = join(directory, `Pulumi.${name}.yaml`);
  const file = existsSync(own) ? own : join(directory, "Pulumi.local.yaml");
  const values = stackConfig(project, program, readKeys(file, []) ?? {});
  return settings.filter((each) => {
    const changed = new Map(values);
    applyOverride(changed, project, each, []);
    return !isDeepStrictEqual(withoutNull(values), withoutNull(changed));
  });
}

function withoutNull(values: ReadonlyMap<string, Json>): ReadonlyMap<string, Json> {
  return new Map([...values].filter(([, value]) => value !== null));
}

/**
 * Applies a `--config` such as `app.image=notes:1.1.0`. The part before the first dot is the key, further parts are a
 * path below it. The value is parsed as YAML; an empty value removes the key.
 */
function applyOverride(values: Map<string, Json>, project: string, override: string, problems: string[]): void {
  const at = override.indexOf("=");
  const [key = "", ...path] = (at < 0 ? override : override.slice(0, at)).split(".");
  if (at < 1 || key === "" || path.includes("")) {
    problems.push(
      `--config ${JSON.stringify(shownOverride(override))}: it must be key=value, such as app.image=notes:1.1.0`,
    );
    return;
  }
  let value: Json;
  try {
    value = (parse(override.slice(at + 1)) ?? null) as Json;
  } catch (error) {
    const reason = yamlProblem(error);
    problems.push(
      `--config ${JSON.stringify(shownOverride(override))}: the value can't be read as YAML (${reason}); put it into quotes`,
    );
    return;
  }
  const name = qualify(project, key);
  try {
    values.set(name, withValue(values.get(name), path, value));
  } catch (error) {
    problems.push(`--config ${JSON.stringify(shownOverride(override))}: ${(error as Error).message}`);
  }
}

/** A `--config` as it may be shown in a message: a value that may be a secret is replaced by `…`. */
export function shownOverride(override: string): string {
  const at = override.indexOf("=");
  const [key, value] = at < 0 ? ["", override] : [override.slice(0, at), override.slice(at + 1)];
  return holdsSecret(key.split("."), value) ? `${key}${at < 0 ? "" : "="}…` : override;
}

/** Whether {@link shownOverride} has replaced the value, so that the setting can't be used again. */
export function isHidden(override: string): boolean {
  return override.endsWith("…");
}

function holdsSecret(path: string[], value: string): boolean {
  let parsed: unknown;
  try {
    parsed = parse(value);
  } catch {
    return mayBeSecret(value) || path.some(isSecretName);
  }
  if (typeof parsed === "object" && parsed !== null)
    return plainSecrets(parsed, path).length > 0 || /pass|pwd|bearer/i.test(value);
  // The values below `secret` are names of Secrets and of their keys, not secrets themselves.
  const name = path.at(-2) === "secret" ? "" : (path.at(-1) ?? "");
  return plainSecretIn(value, name) !== undefined;
}

/** Whether the text may contain a secret. It also matches harmless texts, since a key's name may hide a password. */
function mayBeSecret(value: string): boolean {
  return plainSecretIn(value) !== undefined || /pass|pwd|secret|token|key|credential|bearer/i.test(value);
}

function withValue(at: Json | undefined, [key, ...rest]: string[], value: Json): Json {
  if (key === undefined) return value;
  if (Array.isArray(at)) {
    const index = Number(key);
    if (!Number.isInteger(index) || index < 0 || index > at.length) {
      throw new Error(`"${key}" must be the number of an entry, 0 to ${at.length}`);
    }
    return Object.assign([...at], { [index]: withValue(at[index], rest, value) });
  }
  if (typeof at !== "object" && at !== undefined)
    throw new Error(
      `there is nothing below the value${mayBeSecret(JSON.stringify(at)) ? "" : ` ${JSON.stringify(at)}`}`,
    );
  if (key === "__proto__") throw new Error(`"${key}" is no name for a key`);
  const copy: Tree = { ...at };
  const changed = withValue(Object.hasOwn(copy, key) ? copy[key] : undefined, rest, value);
  if (changed === null) delete copy[key];
  else copy[key] = changed;
  return copy;
}

/** Whether a value contains a number that JSON can't express: settings reach the program as JSON, which writes null. */
function holdsInfinity(value: Json): boolean {
  if (typeof value === "number") return !Number.isFinite(value);
  return typeof value === "object" && value !== null && Object.values(value).some(holdsInfinity);
}

function holdsSecure(value: Json): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (!Array.isArray(value) && Object.keys(value).length === 1 && typeof value["secure"] === "string") return true;
  return Object.values(value).some(holdsSecure);
}
