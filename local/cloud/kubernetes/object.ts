import type { Json } from "../provider";

/** A Kubernetes object as stored by the API server; it declares the fields that this cloud reads. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  // biome-ignore lint/suspicious/noExplicitAny: manifests are open; each reader narrows the part that it reads.
  [field: string]: any;
}

export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  generation?: number;
  resourceVersion?: string;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean }[];
  finalizers?: string[];
  [field: string]: unknown;
}

/** Identifies one object. `group` is "" for the core group. As in the API server's store, there is no version. */
export interface ObjectReference {
  group: string;
  kind: string;
  namespace: string;
  name: string;
}

/** The kinds without a namespace that a program may use. All other kinds have one. */
const CLUSTER_SCOPED = new Set([
  "Namespace",
  "Node",
  "PersistentVolume",
  "ClusterRole",
  "ClusterRoleBinding",
  "StorageClass",
  "PriorityClass",
  "IngressClass",
  "CustomResourceDefinition",
  "ValidatingWebhookConfiguration",
  "MutatingWebhookConfiguration",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
  "APIService",
  "RuntimeClass",
  "CSIDriver",
]);

export function isClusterScoped(kind: string): boolean {
  return CLUSTER_SCOPED.has(kind);
}

export function groupOf(apiVersion: string): string {
  return apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
}

export function referenceTo(object: { apiVersion: string; kind: string; metadata: ObjectMeta }): ObjectReference {
  return {
    group: groupOf(object.apiVersion),
    kind: object.kind,
    namespace: isClusterScoped(object.kind) ? "" : (object.metadata.namespace ?? "default"),
    name: object.metadata.name,
  };
}

export function isOwnedBy(object: KubernetesObject, owner: KubernetesObject): boolean {
  return object.metadata.ownerReferences?.some((reference) => reference.uid === owner.metadata.uid) ?? false;
}

/** Whether labels match a selector with `matchLabels` and `matchExpressions`, or a Service's plain map. */
export function selects(selector: { [field: string]: Json } | undefined, labels: Record<string, string> = {}): boolean {
  if (!selector) return false;
  const structured = "matchLabels" in selector || "matchExpressions" in selector;
  const equal = (structured ? (selector["matchLabels"] ?? {}) : selector) as Record<string, string>;
  const expressions = (structured ? (selector["matchExpressions"] ?? []) : []) as unknown as Expression[];
  return (
    Object.entries(equal).every(([key, value]) => labels[key] === value) &&
    expressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === "Exists") return value !== undefined;
      if (operator === "DoesNotExist") return value === undefined;
      return (operator === "In") === (value !== undefined && values.includes(value));
    })
  );
}

interface Expression {
  key: string;
  operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  values?: string[];
}
