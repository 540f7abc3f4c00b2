import { groupOf, isClusterScoped, type KubernetesObject, selects } from "./object";
import { podSecurityViolations } from "./pod-security";
import type { Store } from "./store";

/** The API server rejects the object, and nothing was changed. The message is what `kubectl` and Pulumi show. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    message: string,
    readonly reason: "Invalid" | "AlreadyExists" | "NotFound" | "Forbidden" | "Conflict",
  ) {
    super(message);
  }

  get data() {
    return { reason: this.reason };
  }
}

/** The name of a kind in the API server's errors, such as `deployments.apps`. */
export function resourceName({ apiVersion, kind }: { apiVersion: string; kind: string }): string {
  const plural = /(s|x|ch|sh)$/i.test(kind)
    ? `${kind}es`
    : /[^aeiou]y$/i.test(kind)
      ? `${kind.slice(0, -1)}ies`
      : `${kind}s`;
  const group = groupOf(apiVersion);
  return group ? `${plural.toLowerCase()}.${group}` : plural.toLowerCase();
}

const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL_NAME = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

/** Rejects what a real API server rejects, for mistakes that a program is likely to make. @throws ApiError with all */
export function validate(store: Store, object: KubernetesObject, previous: KubernetesObject | undefined): void {
  const errors = [...nameErrors(object), ...specErrors(object), ...(previous ? immutableErrors(object, previous) : [])];
  if (errors.length > 0) {
    const group = groupOf(object.apiVersion);
    const list = errors.length === 1 ? errors[0] : `[${errors.join(", ")}]`;
    throw new ApiError(
      `${object.kind}${group ? `.${group}` : ""} "${object.metadata.name}" is invalid: ${list}`,
      "Invalid",
    );
  }
  namespaceMustExist(store, object);
  const violations = podSecurityViolations(store, object);
  if (violations) {
    throw new ApiError(
      `${resourceName(object)} "${object.metadata.name}" is forbidden: violates PodSecurity "restricted:latest": ${violations}`,
      "Forbidden",
    );
  }
}

function nameErrors({ kind, metadata, apiVersion }: KubernetesObject): string[] {
  if (groupOf(apiVersion) === "rbac.authorization.k8s.io") return [];
  const valid =
    kind === "Service" ? LABEL_NAME.test(metadata.name) && metadata.name.length <= 63 : NAME.test(metadata.name);
  if (valid && metadata.name.length <= 253) return [];
  return [
    `metadata.name: Invalid value: "${metadata.name}": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`,
  ];
}

/** The largest size in bytes of a ConfigMap's or Secret's data (k8s.io/kubernetes, `MaxSecretSize`). */
const DATA_LIMIT = 1024 * 1024;

function specErrors(object: KubernetesObject): string[] {
  const { apiVersion, kind, spec } = object;
  const errors: string[] = [];
  const need = (condition: unknown, message: string) => {
    if (!condition) errors.push(message);
  };
  if (apiVersion === "v1" && (kind === "ConfigMap" || kind === "Secret")) {
    need(dataSize(object) <= DATA_LIMIT, `[]: Too long: may not be more than ${DATA_LIMIT} bytes`);
  }
  const workload = ["apps/v1/Deployment", "batch/v1/Job"].includes(`${apiVersion}/${kind}`);
  if (workload) {
    need(spec?.template?.spec?.containers?.length > 0, "spec.template.spec.containers: Required value");
    for (const [i, { name, image }] of (spec?.template?.spec?.containers ?? []).entries()) {
      need(name, `spec.template.spec.containers[${i}].name: Required value`);
      need(image, `spec.template.spec.containers[${i}].image: Required value`);
    }
  }
  if (workload && kind === "Job") {
    const policy = spec?.template?.spec?.restartPolicy;
    need(
      policy === "Never" || policy === "OnFailure",
      `spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"`,
    );
  }
  if (workload && kind === "Deployment") {
    need(spec?.selector, "spec.selector: Required value");
    need(
      selects(spec?.selector, spec?.template?.metadata?.labels),
      `spec.template.metadata.labels: Invalid value: ${JSON.stringify(spec?.template?.metadata?.labels ?? {})}: \`selector\` does not match template \`labels\``,
    );
  }
  if (apiVersion === "v1" && kind === "Service" && spec?.type !== "ExternalName") {
    need(spec?.ports?.length > 0 || spec?.clusterIP === "None", "spec.ports: Required value");
  }
  return errors;
}

function dataSize({ kind, data = {}, binaryData = {} }: KubernetesObject): number {
  const size = (values: Record<string, string>, encoding: "utf8" | "base64") =>
    Object.values(values).reduce((sum, value) => sum + Buffer.byteLength(String(value), encoding), 0);
  return kind === "Secret" ? size(data, "base64") : size(data, "utf8") + size(binaryData, "base64");
}

function immutableErrors(object: KubernetesObject, previous: KubernetesObject): string[] {
  const fields: Record<string, string[]> = {
    "batch/v1/Job": ["template", "completions", "selector"],
    "apps/v1/Deployment": ["selector"],
  };
  const errors = (fields[`${object.apiVersion}/${object.kind}`] ?? [])
    .filter((field) => !equal(object["spec"]?.[field], previous["spec"]?.[field]))
    .map((field) => `spec.${field}: Invalid value: ${JSON.stringify(object["spec"]?.[field])}: field is immutable`);
  if (previous["immutable"] === true) {
    const changed = ["data", "binaryData"].filter((field) => !equal(object[field] ?? {}, previous[field] ?? {}));
    errors.push(...changed.map((field) => `${field}: Forbidden: field is immutable when \`immutable\` is set`));
    if (object["immutable"] !== true) errors.push("immutable: Forbidden: field is immutable when `immutable` is set");
  }
  return errors;
}

/** Checks the namespace. Those of every new cluster exist without an object. @throws ApiError if it doesn't exist */
function namespaceMustExist(store: Store, { kind, metadata: { namespace = "default" } }: KubernetesObject): void {
  if (isClusterScoped(kind) || ["default", "kube-system", "kube-public", "kube-node-lease"].includes(namespace)) return;
  if (store.get({ group: "", kind: "Namespace", namespace: "", name: namespace })) return;
  throw new ApiError(`namespaces "${namespace}" not found`, "NotFound");
}

/** Whether two values are equal, whatever the order of their keys. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => equal((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]));
}
