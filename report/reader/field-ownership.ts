/** Kubernetes' FieldsV1. Its keys are `f:<field>`, `k:<key fields of a list's item as JSON>`, `v:<value>` and `.`. */
export interface FieldSet {
  [key: string]: FieldSet;
}

/** One entry of `metadata.managedFields`: the fields of an object that one manager has set. */
export interface FieldsEntry {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion?: string;
  readonly subresource?: string;
  readonly fieldsV1?: FieldSet;
}

/** The parts of a Kubernetes object that its ownership depends on. */
export interface OwnedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion?: string;
    readonly managedFields?: readonly FieldsEntry[];
  };
}

/** One operation of a JSON patch (RFC 6902). */
export interface PatchOperation {
  readonly op: "test" | "replace";
  readonly path: string;
  readonly value: unknown;
}

/**
 * Whether the entry is of a tool that people change objects with, such as kubectl or Helm. Controllers of the cluster
 * keep what they have set, and so does whoever sets the number of pods or the status through a subresource.
 */
export function isTool({ manager, subresource }: FieldsEntry): boolean {
  return subresource === undefined && !/controller|manager|operator|autoscaler|cloud-provider/i.test(manager);
}

/**
 * Returns the fields that the new owner gets. What it then doesn't set itself, the API server removes. So it gets the
 * specification only, without the number of pods, which an autoscaler may set. Of a Service it gets only what every
 * release sets, so that all its other fields and annotations stay as they are.
 */
export function fieldsToHandOver({ apiVersion, kind, metadata }: OwnedObject): FieldSet {
  // An object without any owner would be seen as owned by "before-first-apply", whose fields Pulumi takes over later.
  if (kind === "Service") return { "f:spec": { "f:selector": {}, "f:type": {} } };
  const sets = (metadata.managedFields ?? []).filter(isTool).flatMap((entry) => {
    const spec = entry.apiVersion === undefined || entry.apiVersion === apiVersion ? entry.fieldsV1?.["f:spec"] : {};
    return spec ? [spec] : [];
  });
  const { "f:replicas": _, ...spec } = sets.reduce(union, {});
  return { "f:spec": spec };
}

/**
 * Returns the JSON patch that hands the fields of all tools over to one manager, as kubectl itself does when it goes over
 * to server-side apply
 * (https://kubernetes.io/docs/reference/using-api/server-side-apply/#upgrading-from-client-side-apply-to-server-side-apply).
 * It changes the record of who set what, and nothing that a controller acts on. It fails if the object was changed
 * meanwhile.
 */
export function handOverPatch(object: OwnedObject, to: string): PatchOperation[] {
  const { managedFields = [], resourceVersion } = object.metadata;
  const tools = managedFields.filter(isTool);
  if (tools.every(({ manager }) => manager === to)) return [];
  const fieldsV1 = fieldsToHandOver(object);
  const others = managedFields.filter((entry) => !isTool(entry));
  const own = {
    manager: to,
    operation: "Apply",
    apiVersion: object.apiVersion,
    time: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
    fieldsType: "FieldsV1",
    fieldsV1,
  };
  return [
    { op: "test", path: "/metadata/resourceVersion", value: resourceVersion },
    { op: "replace", path: "/metadata/managedFields", value: [...others, own] },
  ];
}

function union(one: FieldSet, other: FieldSet): FieldSet {
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries([...keys].map((key) => [key, union(one[key] ?? {}, other[key] ?? {})]));
}
