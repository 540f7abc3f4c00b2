import { isDeepStrictEqual } from "node:util";

/** Any JSON value of a manifest. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** One entry of `metadata.managedFields`. It records which manager set which fields of an object, and how. */
export interface ManagedFields {
  manager: string;
  operation: "Apply" | "Update";
  /** The subresource, such as `scale` for an autoscaler or `kubectl scale`, or `status` for a controller. */
  subresource?: string;
  /** When the manager last set one of these fields, in ISO format. */
  time?: string;
  fieldsV1?: FieldSet;
}

/** Kubernetes' FieldsV1. Its keys are `f:<field>`, `k:<key fields of a list's item as JSON>`, `v:<value>` and `.`. */
interface FieldSet {
  [key: string]: FieldSet;
}

/** A field that the program sets and that another manager has changed since. */
export interface FieldConflict {
  /** The path in the API server's notation, such as `.spec.template.spec.containers[name="app"].image`. */
  path: string;
  manager: string;
  subresource?: string;
  /** When the manager last set one of its fields, in ISO format. */
  time?: string;
  live: Json | undefined;
  wanted: Json;
}

/**
 * Returns whether the field manager is Pulumi. The names of its field managers begin with "pulumi"
 * (pulumi-kubernetes 4.34, provider.go, fieldManagerName).
 */
export function isPulumi({ manager }: ManagedFields): boolean {
  return manager.startsWith("pulumi");
}

/**
 * Returns the conflicts with which a server-side apply of `wanted` would fail: the fields that other managers own and
 * whose live value differs (https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts).
 */
export function fieldConflicts(wanted: Json, live: Json, managers: readonly ManagedFields[]): FieldConflict[] {
  const others = managers.filter((each) => !isPulumi(each) && each.subresource !== "status");
  return others.flatMap(({ manager, subresource, time, fieldsV1 = {} }) =>
    differences(fieldsV1, wanted, live).map((found) => ({
      ...found,
      manager,
      ...(subresource && { subresource }),
      ...(time && { time }),
    })),
  );
}

type Difference = Pick<FieldConflict, "path" | "live" | "wanted">;

function differences(fields: FieldSet, wanted: Json, live: Json | undefined, path = ""): Difference[] {
  return Object.entries(fields).flatMap(([key, below]) => {
    // The key `.` means that the manager owns the existence of an item, not its content.
    if (key === ".") return [];
    const want = member(wanted, key);
    if (want === undefined || want === null) return [];
    const have = live === undefined ? undefined : member(live, key);
    const at = path + step(key);
    if (Object.keys(below).length > 0) return differences(below, want, have, at);
    return isDeepStrictEqual(want, have) || (isMap(want) && isEmptyMap(have))
      ? []
      : [{ path: at, live: have, wanted: want }];
  });
}

/** Returns the part of a value that a key of a field set names, or undefined if the value has no such part. */
export function member(value: Json, key: string): Json | undefined {
  if (key.startsWith("f:")) return isMap(value) ? value[key.slice(2)] : undefined;
  if (!key.startsWith("k:") || !Array.isArray(value)) return undefined;
  const wanted = Object.entries(JSON.parse(key.slice(2)) as Record<string, Json>);
  return value.find(
    (item) => isMap(item) && wanted.every(([name, part]) => (item[name] ?? KEY_DEFAULTS[name]) === part),
  );
}

/** The API server's defaults for those parts of a list's key that a manifest may leave out. */
const KEY_DEFAULTS: Record<string, Json> = { protocol: "TCP" };

function step(key: string): string {
  if (key.startsWith("f:")) return `.${key.slice(2)}`;
  const parts = Object.entries(JSON.parse(key.slice(2)) as Record<string, Json>);
  return `[${parts.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(",")}]`;
}

/** Returns whether the value is an empty map. Owning an empty map causes no conflict (tested on Kubernetes 1.34). */
function isEmptyMap(value: Json | undefined): boolean {
  return isMap(value) && Object.keys(value).length === 0;
}

/** Returns whether a value is a map, and neither a list nor a single value. */
export function isMap(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
