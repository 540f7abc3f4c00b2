import type { Properties } from "../provider";
import { isMap } from "./property-diff";

/**
 * The properties of a kind that can only change by replacing the object (pulumi-kubernetes 4.32,
 * provider/pkg/provider/diff.go), for the kinds that a release may contain.
 */
export function replacingProperties(inputs: Properties): string[] {
  const own = BY_KIND[`${inputs["apiVersion"]}/${inputs["kind"]}`] ?? [];
  return ["metadata.name", "metadata.namespace", ...own, ...dataProperties(inputs)];
}

const POD_CONTAINER = [
  "args",
  "command",
  "env",
  "image",
  "imagePullPolicy",
  "lifecycle",
  "livenessProbe",
  "ports",
  "readinessProbe",
  "resources",
  "securityContext",
  "terminationMessagePath",
  "terminationMessagePolicy",
  "volumeMounts",
  "workingDir",
];

const POD = [
  "affinity",
  "automountServiceAccountToken",
  "dnsPolicy",
  "hostNetwork",
  "imagePullSecrets",
  "nodeName",
  "nodeSelector",
  "priorityClassName",
  "restartPolicy",
  "securityContext",
  "serviceAccountName",
  "terminationGracePeriodSeconds",
  "volumes",
].map((field) => `spec.${field}`);

const BY_KIND: Record<string, string[]> = {
  "apps/v1/Deployment": ["spec.selector"],
  "apps/v1/DaemonSet": ["spec.selector"],
  "apps/v1/StatefulSet": [
    "spec.podManagementPolicy",
    "spec.revisionHistoryLimit",
    "spec.selector",
    "spec.serviceName",
    "spec.volumeClaimTemplates",
  ],
  "batch/v1/Job": ["spec.completions", "spec.parallelism", "spec.selector", "spec.template"],
  "rbac.authorization.k8s.io/v1/RoleBinding": ["roleRef"],
  "rbac.authorization.k8s.io/v1/ClusterRoleBinding": ["roleRef"],
  "storage.k8s.io/v1/StorageClass": ["parameters", "provisioner"],
  "v1/PersistentVolumeClaim": ["spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"],
  "v1/Pod": [
    ...POD,
    ...["containers", "initContainers"].flatMap((list) => POD_CONTAINER.map((field) => `spec.${list}[*].${field}`)),
  ],
  "v1/ResourceQuota": ["spec.scopes"],
  "v1/Service": ["spec.clusterIP"],
};

/** ConfigMaps and Secrets are replaced when their data changes, as with the real provider's default settings. */
function dataProperties({ apiVersion, kind }: Properties): string[] {
  if (apiVersion !== "v1") return [];
  if (kind === "ConfigMap") return ["binaryData", "data"];
  return kind === "Secret" ? ["type", "stringData", "data"] : [];
}

export const AUTONAMED = "pulumi.com/autonamed";

export function annotation(inputs: Properties, name: string): string | undefined {
  const { metadata } = inputs;
  const value = isMap(metadata) && isMap(metadata["annotations"]) ? metadata["annotations"][name] : undefined;
  return typeof value === "string" ? value : undefined;
}
