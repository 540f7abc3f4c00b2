import type { KubernetesObject } from "./object";

/**
 * Adds the defaults that the API server sets, for the kinds that this cloud runs (API of Kubernetes 1.34). Everything
 * else stays as it was written.
 */
export function withDefaults(object: KubernetesObject): KubernetesObject {
  const filled = DEFAULTS[`${object.apiVersion}/${object.kind}`]?.(object["spec"] ?? {});
  const data = object.kind === "Secret" && object.apiVersion === "v1" ? secretData(object) : {};
  const { stringData: _, ...rest } = object;
  return { ...(object.kind === "Secret" ? rest : object), ...(filled ? { spec: filled } : {}), ...data };
}

// biome-ignore lint/suspicious/noExplicitAny: specs are open; validation has checked the fields that are used here.
type Spec = Record<string, any>;

const DEFAULTS: Record<string, (spec: Spec) => Spec> = {
  "apps/v1/Deployment": (spec) => ({
    progressDeadlineSeconds: 600,
    replicas: 1,
    revisionHistoryLimit: 10,
    ...spec,
    strategy: strategy(spec["strategy"]),
    template: template(spec["template"] ?? {}, "Always"),
  }),
  "batch/v1/Job": (spec) => ({
    backoffLimit: 6,
    completionMode: "NonIndexed",
    completions: 1,
    parallelism: 1,
    suspend: false,
    ...spec,
    template: template(spec["template"] ?? {}, undefined),
  }),
  "v1/Pod": (spec) => podSpec(spec, "Always"),
  "v1/Service": (spec) => ({
    sessionAffinity: "None",
    type: "ClusterIP",
    ...spec,
    ports: (spec["ports"] ?? []).map((port: Spec) => ({ protocol: "TCP", targetPort: port["port"], ...port })),
  }),
};

function strategy(given: Spec = {}): Spec {
  if (given["type"] === "Recreate") return { type: "Recreate" };
  return {
    type: "RollingUpdate",
    rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%", ...given["rollingUpdate"] },
  };
}

function template(given: Spec, restartPolicy: string | undefined): Spec {
  return { ...given, metadata: { ...given["metadata"] }, spec: podSpec(given["spec"] ?? {}, restartPolicy) };
}

function podSpec(spec: Spec, restartPolicy: string | undefined): Spec {
  return {
    dnsPolicy: "ClusterFirst",
    ...(restartPolicy ? { restartPolicy } : {}),
    schedulerName: "default-scheduler",
    securityContext: {},
    terminationGracePeriodSeconds: 30,
    ...spec,
    containers: (spec["containers"] ?? []).map(container),
    ...(spec["initContainers"] ? { initContainers: spec["initContainers"].map(container) } : {}),
  };
}

function container(given: Spec): Spec {
  const probes = Object.fromEntries(
    ["startupProbe", "livenessProbe", "readinessProbe"]
      .filter((name) => given[name])
      .map((name) => [name, probe(given[name])]),
  );
  return {
    imagePullPolicy: /(:latest|\/[^:]+|^[^:]+)$/.test(given["image"] ?? "") ? "Always" : "IfNotPresent",
    resources: {},
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    ...given,
    ...(given["ports"] ? { ports: given["ports"].map((port: Spec) => ({ protocol: "TCP", ...port })) } : {}),
    ...probes,
  };
}

function probe(given: Spec): Spec {
  return { failureThreshold: 3, periodSeconds: 10, successThreshold: 1, timeoutSeconds: 1, ...given };
}

/** Moves `stringData` to `data`, as the server does: `stringData` is only for writing. */
function secretData({ data = {}, stringData = {}, type = "Opaque" }: KubernetesObject): { data: Spec; type: string } {
  const encoded = Object.entries(stringData as Record<string, string>).map(([key, value]) => [
    key,
    Buffer.from(value, "utf8").toString("base64"),
  ]);
  return { data: { ...data, ...Object.fromEntries(encoded) }, type };
}
