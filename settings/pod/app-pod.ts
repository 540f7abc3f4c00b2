import { connectionVariables } from "../database-access";
import type { Problem } from "../rule";
import type { Settings, WorkloadSettings } from "../schema";
import { containerProblems } from "./containers";
import { ownFields } from "./own-fields";
import { connectionFiles, fields, labels, SHARED, variables } from "./shared-fields";

/** Finds what `app.pod` must not set, because the release relies on it or because it is a setting of its own. */
export function appPodProblems({ app, database }: Pick<Settings, "app" | "database">): Problem[] {
  const container = `spec.containers[${app.container}]`;
  const liveness = `${container}.livenessProbe`;
  const health = "left out: set app.healthPath";
  const own = {
    ...SHARED,
    ...labels(Object.keys(app.selector ?? {})),
    "spec.restartPolicy": "left out: the pods of a Deployment are always restarted",
    "spec.activeDeadlineSeconds": "left out: the pods of a Deployment have no deadline",
    ...fields("spec", ["serviceAccountName", "serviceAccount"], "left out: set app.serviceAccount"),
    "spec.terminationGracePeriodSeconds": "left out: set app.terminationGrace",
    ...fields("spec.securityContext", ["runAsUser", "runAsGroup"], "left out: set app.runAsUser"),
    ...fields(`${container}.securityContext`, ["runAsUser", "runAsGroup"], "left out: set app.runAsUser"),
    ...started(container, "app"),
    ...variables(container, Object.keys(app.env), "left out: app.env sets it already"),
    ...variables(container, ["PORT"], "left out: set app.port"),
    ...variables(container, connectionVariables(database, "app"), "left out: it is set from the settings in database"),
    ...connectionFiles(container, database),
    [`${container}.ports[${app.port}]`]: "left out: it is the port of the app",
    [`${container}.lifecycle.preStop`]: "left out: set app.preStop",
    ...probe(`${container}.startupProbe`, health),
    ...fields(`${container}.startupProbe`, ["failureThreshold", "periodSeconds"], "left out: set app.startupTimeout"),
    ...probe(`${container}.readinessProbe`, health),
    ...(app.livenessPath === undefined
      ? fields(liveness, ["exec", "grpc", "tcpSocket", "httpGet"], "left out: set app.livenessPath")
      : probe(liveness, "left out: set app.livenessPath")),
  };
  return problems(app.pod, own, app.container, ["app", "pod"]);
}

/** Finds what `workloads[].pod` must not set, for the same reasons. */
export function workloadPodProblems({
  app,
  database,
  workloads,
}: Pick<Settings, "app" | "database" | "workloads">): Problem[] {
  return workloads.flatMap((workload, index) => {
    const container = `spec.containers[${workload.name}]`;
    const own = {
      ...SHARED,
      "spec.restartPolicy": "left out: its kind decides it",
      ...deadline(workload),
      ...started(container, "workloads[]"),
      ...variables(container, Object.keys({ ...app.env, ...workload.env }), "left out: env sets it already"),
      ...variables(
        container,
        connectionVariables(database, "app"),
        "left out: it is set from the settings in database",
      ),
      ...connectionFiles(container, database),
    };
    return problems(workload.pod, own, workload.name, ["workloads", index, "pod"]);
  });
}

function deadline({ kind }: WorkloadSettings): Record<string, string> {
  const why = kind === "cron" ? "set workloads[].deadline" : "the pods of a Deployment have no deadline";
  return { "spec.activeDeadlineSeconds": `left out: ${why}` };
}

/** What a probe asks, which has settings of its own. */
function probe(place: string, allowed: string): Record<string, string> {
  return {
    ...fields(place, ["exec", "grpc", "tcpSocket"], allowed),
    [`${place}.httpGet.path`]: allowed,
    [`${place}.httpGet.port`]: "left out: set app.port",
  };
}

/** What a container runs, which has settings of its own. */
function started(container: string, section: string): Record<string, string> {
  const names = ["image", "command", "args", "resources"];
  return Object.assign(
    { [`${container}.restartPolicy`]: "left out: the whole pod decides it" },
    ...names.map((name) => ({ [`${container}.${name}`]: `left out: set ${section}.${name}` })),
  );
}

function problems(
  fragment: Settings["app"]["pod"],
  own: Record<string, string>,
  container: string,
  prefix: PropertyKey[],
): Problem[] {
  if (fragment === undefined) return [];
  return [...ownFields(fragment, own), ...containerProblems(fragment, container)].map(({ path, allowed }) => ({
    path: [...prefix, ...path],
    allowed,
  }));
}
