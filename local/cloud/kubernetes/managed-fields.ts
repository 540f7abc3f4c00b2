import type { Json } from "../provider";
import type { KubernetesObject } from "./object";
import { isMap } from "./property-diff";
import { timestamp } from "./store";
import { ApiError, equal } from "./validation";

/** A set of fields in Kubernetes' FieldsV1 format, with keys such as `f:spec`, `k:{"name":"app"}` and `.`. */
interface FieldSet {
  [key: string]: FieldSet;
}

/** An entry of `metadata.managedFields`: the fields of an object that one manager has set. */
interface ManagedFields {
  manager: string;
  operation: "Apply" | "Update";
  apiVersion: string;
  fieldsType: "FieldsV1";
  fieldsV1: FieldSet;
  subresource?: string;
  /** When the manager last set one of its fields. Kubernetes 1.34 leaves it out for the subresource `scale`. */
  time?: string;
}

/** The author of a change. A server-side apply respects the fields that other managers have set; an update does not. */
export interface FieldManager {
  manager: string;
  operation: "Apply" | "Update";
  subresource?: string;
  /** Whether an apply takes over fields that other managers have set; default: false. */
  force?: boolean;
}

/**
 * The `managedFields` of an object after a change (https://kubernetes.io/docs/reference/using-api/server-side-apply/).
 * It covers the lists of pods and Services item by item, and treats all other lists as one value.
 *
 * @param given the fields that the change sets; an apply gives up the fields that it does not set again
 * @param next the object after the change, with defaults
 * @throws ApiError when an apply sets a field that another manager has set to another value
 */
export function managedFields(
  { force = false, ...by }: FieldManager,
  given: KubernetesObject,
  next: KubernetesObject,
  previous: KubernetesObject | undefined,
): ManagedFields[] {
  const entries = (previous?.metadata["managedFields"] ?? []) as ManagedFields[];
  const before = new Map(leavesOf(previous ?? {}));
  const after = new Map(leavesOf(next));
  const isOwn = (entry: ManagedFields) =>
    entry.manager === by.manager && entry.operation === by.operation && entry.subresource === by.subresource;
  const others = entries.filter((entry) => !isOwn(entry)).map((entry) => ({ entry, paths: pathsOf(entry.fieldsV1) }));
  const set = [...new Map(leavesOf(given))];

  if (by.operation === "Apply" && !force) {
    const conflicts = others.flatMap(({ entry, paths }) => {
      const taken = set.filter(([path, value]) => paths.has(path) && !equal(value, before.get(path)));
      return taken.length > 0 ? [{ entry, paths: taken.map(([path]) => path) }] : [];
    });
    if (conflicts.length > 0) throw new ApiError(conflictMessage(conflicts), "Conflict");
  }
  const changed = new Set(set.filter(([path, value]) => !equal(value, before.get(path))).map(([path]) => path));
  const kept =
    by.operation === "Update" ? [...(entries.filter(isOwn).map((own) => pathsOf(own.fieldsV1))[0] ?? [])] : [];
  const own = by.operation === "Apply" ? set.map(([path]) => path) : [...new Set([...kept, ...changed])];
  const rest = others.map(({ entry, paths }) => ({
    ...entry,
    fieldsV1: fieldSet(
      [...paths].filter((path) => after.has(path) && !((by.operation === "Update" || force) && changed.has(path))),
    ),
  }));
  const fieldsV1 = fieldSet(own.filter((path) => after.has(path)));
  const earlier = entries.find(isOwn);
  const isUnchanged = earlier !== undefined && changed.size === 0 && equal(earlier.fieldsV1, fieldsV1);
  return [
    ...rest.filter((entry) => Object.keys(entry.fieldsV1).length > 0),
    {
      ...by,
      apiVersion: next.apiVersion,
      fieldsType: "FieldsV1",
      fieldsV1,
      ...(by.subresource === "scale" ? {} : { time: (isUnchanged && earlier.time) || timestamp() }),
    },
  ];
}

/** The fields that the chosen managers of an object own, as {@link leavesOf} names them. */
export function managedPaths(object: KubernetesObject, isChosen: (entry: ManagedFields) => boolean): Set<string> {
  const entries = (object.metadata["managedFields"] ?? []) as ManagedFields[];
  return new Set(entries.filter(isChosen).flatMap(({ fieldsV1 }) => [...pathsOf(fieldsV1)]));
}

/** The keys of the items of lists that are merged item by item. All other lists are treated as one value. */
const LIST_KEYS: Record<string, string[][]> = {
  containers: [["name"]],
  initContainers: [["name"]],
  env: [["name"]],
  volumes: [["name"]],
  imagePullSecrets: [["name"]],
  volumeMounts: [["mountPath"]],
  ports: [
    ["containerPort", "protocol"],
    ["port", "protocol"],
  ],
  topologySpreadConstraints: [["topologyKey", "whenUnsatisfiable"]],
};

/** The fields whose objects are treated as one value. */
const ATOMIC = ["selector", "labelSelector", "secretKeyRef", "configMapKeyRef", "fieldRef"];

/** Stands between the parts of a path. */
export const SEPARATOR = "\0";

/** Every field that can have an owner, by its path, with its value. */
export function leavesOf(object: Partial<KubernetesObject>): [string, Json][] {
  const { apiVersion, kind, status, metadata, ...rest } = object;
  const { labels = {}, annotations = {} } = metadata ?? {};
  return leaves({ ...rest, metadata: { labels, annotations } } as Json, []);
}

function leaves(value: Json, keys: string[], name = ""): [string, Json][] {
  if (value === null || value === undefined) return [];
  if (isMap(value) && !ATOMIC.includes(name) && (Object.keys(value).length > 0 || keys.length === 0)) {
    return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...keys, `f:${key}`], key));
  }
  const listKeys = Array.isArray(value) ? keyedBy(value, LIST_KEYS[name] ?? []) : undefined;
  if (!listKeys) return [[keys.join(SEPARATOR), value]];
  return (value as { [key: string]: Json }[]).flatMap((item) => {
    const key = listKeys.map((part) => [part, item[part] ?? (part === "protocol" ? "TCP" : "")]);
    const at = [...keys, `k:${JSON.stringify(Object.fromEntries(key))}`];
    return [[[...at, "."].join(SEPARATOR), true] as [string, Json], ...leaves(item, at)];
  });
}

/** The keys that all items of the list have; undefined for a list that is treated as one value. */
function keyedBy(list: Json[], choices: string[][]): string[] | undefined {
  return choices.find((choice) => list.every((item) => isMap(item) && item[choice[0]!] !== undefined));
}

function fieldSet(paths: string[]): FieldSet {
  const root: FieldSet = {};
  for (const path of paths) {
    let at = root;
    for (const key of path.split(SEPARATOR)) {
      at[key] ??= {};
      at = at[key];
    }
  }
  return root;
}

function pathsOf(fields: FieldSet, keys: string[] = []): Set<string> {
  const found = Object.entries(fields).flatMap(([key, below]) =>
    Object.keys(below).length === 0 ? [[...keys, key].join(SEPARATOR)] : [...pathsOf(below, [...keys, key])],
  );
  return new Set(found);
}

/** The API server's message for conflicts. */
function conflictMessage(conflicts: { entry: ManagedFields; paths: string[] }[]): string {
  const count = conflicts.reduce((sum, { paths }) => sum + paths.length, 0);
  const who = ({ manager, subresource, apiVersion }: ManagedFields) =>
    `"${manager}"${subresource ? ` with subresource "${subresource}"` : ""} using ${apiVersion}`;
  const [first] = conflicts;
  if (count === 1)
    return `Apply failed with 1 conflict: conflict with ${who(first!.entry)}: ${shown(first!.paths[0]!)}`;
  const each = conflicts.map(
    ({ entry, paths }) => `conflicts with ${who(entry)}:\n${paths.map((path) => `- ${shown(path)}`).join("\n")}`,
  );
  return `Apply failed with ${count} conflicts: ${each.join("\n")}`;
}

/** Formats a path for messages, such as `.spec.template.spec.containers[name="app"].image`. */
function shown(path: string): string {
  return path
    .split(SEPARATOR)
    .map((key) => {
      if (key.startsWith("f:")) return `.${key.slice(2)}`;
      const parts = Object.entries(JSON.parse(key.slice(2)) as Record<string, Json>);
      return `[${parts.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(",")}]`;
    })
    .join("");
}
