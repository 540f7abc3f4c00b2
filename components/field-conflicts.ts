import { isDeepStrictEqual } from "node:util";

/** Any JSON value of a manifest. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** One entry of `metadata.managedFields`: who set which fields of an object, and how. */
export interface ManagedFields {
  manager: string;
  operation: "Apply" | "Update";
  /** `scale` where an autoscaler or `kubectl scale` did it; `status` is the controllers' own. */
  subresource?: string;
  fieldsV1?: FieldSet;
}

/** Kubernetes' FieldsV1: keys are `f:<field>`, `k:<key fields of a list's item as JSON>`, `v:<value>` and `.`. */
interface FieldSet {
  [key: string]: FieldSet;
}

/** A field that the program sets, and whose value somebody else has changed since. */
export interface FieldConflict {
  /** As the API server writes it: `.spec.template.spec.containers[name="app"].image`. */
  path: string;
  manager: string;
  subresource?: string;
  live: Json | undefined;
  wanted: Json;
}

/** Pulumi's Kubernetes provider names its field managers so (pulumi-kubernetes 4.34, provider.go, fieldManagerName). */
export function isPulumi({ manager }: ManagedFields): boolean {
  return manager.startsWith("pulumi");
}

/**
 * The conflicts in which a server-side apply of `wanted` would end: fields of other managers whose live value differs
 * (https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts).
 */
export function fieldConflicts(wanted: Json, live: Json, managers: readonly ManagedFields[]): FieldConflict[] {
  const others = managers.filter((each) => !isPulumi(each) && each.subresource !== "status");
  return others.flatMap(({ manager, subresource, fieldsV1 = {} }) =>
    differences(fieldsV1, wanted, live).map((found) => ({ ...found, manager, ...(subresource && { subresource }) })),
  );
}

type Difference = Pick<FieldConflict, "path" | "live" | "wanted">;

function differences(fields: FieldSet, wanted: Json, live: Json | undefined, path = ""): Difference[] {
  return Object.entries(fields).flatMap(([key, below]) => {
    // `.` owns that an item exists, not what is in it.
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

/** What a key of a field set names in a value; undefined where there is no such thing. */
function member(value: Json, key: string): Json | undefined {
  if (key.startsWith("f:")) return isMap(value) ? value[key.slice(2)] : undefined;
  if (!key.startsWith("k:") || !Array.isArray(value)) return undefined;
  const wanted = Object.entries(JSON.parse(key.slice(2)) as Record<string, Json>);
  return value.find(
    (item) => isMap(item) && wanted.every(([name, part]) => (item[name] ?? KEY_DEFAULTS[name]) === part),
  );
}

/** What the API server fills in for a part of a list's key that a manifest leaves out. */
const KEY_DEFAULTS: Record<string, Json> = { protocol: "TCP" };

function step(key: string): string {
  if (key.startsWith("f:")) return `.${key.slice(2)}`;
  const parts = Object.entries(JSON.parse(key.slice(2)) as Record<string, Json>);
  return `[${parts.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(",")}]`;
}

/** Owning a group with nothing in it stands in nobody's way (tried on Kubernetes 1.34). */
function isEmptyMap(value: Json | undefined): boolean {
  return value !== undefined && isMap(value) && Object.keys(value).length === 0;
}

function isMap(value: Json): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
