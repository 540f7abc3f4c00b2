import { parse } from "yaml";
import { readNamedFile, yamlProblem } from "../text/named-file";

/** Any value in a YAML file. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
type Tree = { [key: string]: Json };

/**
 * Reads a YAML file whose content is a group of keys, such as Pulumi.yaml or Pulumi.<stack>.yaml.
 * @param problems receives a line for each problem with the file
 * @returns the keys; empty if the file can't be read or contains no group of keys, and undefined if it doesn't exist
 */
export function readKeys(path: string, problems: string[]): Tree | undefined {
  const read = readNamedFile(path);
  if (read === undefined) return undefined;
  if ("problem" in read) {
    problems.push(`${path} can't be read: ${read.problem}`);
    return {};
  }
  try {
    const value = parse(read.text) as Json;
    const keys = keysOf(value);
    if (!isGroup(value ?? {})) problems.push(`${path} holds no group of keys`);
    if (!isGroup(keys["config"] ?? {})) problems.push(`${path}: config is no group of keys`);
    return keys;
  } catch (error) {
    problems.push(`${path} is not YAML: ${yamlProblem(error)}`);
    return {};
  }
}

function isGroup(value: Json | undefined): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The keys of a group; empty if the value is no group. */
export function keysOf(value: Json | undefined): Tree {
  return isGroup(value) ? value : {};
}

/**
 * The configuration of a stack, which the Pulumi CLI combines from two files: the stack's own values, and the project's
 * values for keys that the stack doesn't set.
 * @returns the values by qualified key, such as `release:app`
 */
export function stackConfig(project: string, projectFile: Tree, stackFile: Tree): Map<string, Json> {
  const values = new Map<string, Json>();
  for (const [key, value] of Object.entries(keysOf(projectFile["config"]))) {
    const declared = keysOf(value);
    if ("default" in declared || "value" in declared) {
      values.set(qualify(project, key), declared["value"] ?? declared["default"] ?? null);
    } else if (!("type" in declared)) values.set(qualify(project, key), value);
  }
  for (const [key, value] of Object.entries(keysOf(stackFile["config"]))) values.set(qualify(project, key), value);
  return values;
}

/**
 * The values of one namespace by their keys without the namespace, such as `app`. As in Pulumi, null counts as missing.
 */
export function namespaceValues(namespace: string, config: ReadonlyMap<string, Json>): Record<string, Json> {
  const own = [...config].filter(([key, value]) => key.startsWith(`${namespace}:`) && value !== null);
  return Object.fromEntries(own.map(([key, value]) => [key.slice(namespace.length + 1), value]));
}

/** Adds the project's name to a key without a namespace. As in Pulumi, such a key belongs to the project. */
export function qualify(project: string, key: string): string {
  return key.includes(":") ? key : `${project}:${key}`;
}
