import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { AppSettings, Settings } from "../settings/schema";
import { takenOver } from "./adoption/field-manager";
import type { ClusterAccess } from "./ask-cluster";
import { autoscalerManifest } from "./autoscaler";
import type { DatabaseSource } from "./database-environment";
import type { LiveRollout } from "./live-rollout";
import { withPodFragment } from "./pod-fragment";
import { CONTAINER_SECURITY, environment, labels, podIdentity, RELEASE_ANNOTATION } from "./pods";
import { fixedReplicas, mayHaveSeveral } from "./replicas";
import { podSpec, type SchemaGate } from "./schema-gate";
import { disruptionsAllowed, updateStrategy } from "./update-strategy";
import type { WayBack } from "./way-back";

/** The arguments from which the app's Kubernetes objects are made. */
export interface AppArgs {
  namespace: pulumi.Input<string>;
  releaseId: string;
  settings: AppSettings;
  database: DatabaseSource;
  /** Environment variables from other resources of the program. They replace settings of the same name. */
  provided?: Record<string, pulumi.Input<string>>;
  service: Settings["service"];
  protect: boolean;
  /** The init container that lets a pod start. Default: none. */
  gate?: SchemaGate | undefined;
  /** The way to the cluster, by which the address of a new load balancer is read. Default: it is not read. */
  reader?: ClusterAccess | undefined;
  /** What the rollout gate found in the cluster; undefined if it was not asked or did not answer. */
  live?: LiveRollout | undefined;
  /** What tells the way back if the rollout fails. Default: nothing is told. */
  wayBack?: WayBack | undefined;
}

/** The time between two probes of a pod, in seconds. */
const PROBE_PERIOD_SECONDS = 2;

/**
 * Builds the app's Kubernetes objects. There is a PodDisruptionBudget only when the app may have more than one pod, and
 * an autoscaler only when the settings ask for one.
 */
export function appManifests(args: AppArgs) {
  const { namespace, settings, service } = args;
  const matchLabels = appSelector(settings);
  const annotations = takenOver(settings);
  const metadata = {
    name: settings.name,
    namespace,
    labels: labels(settings.name, "app"),
    ...(annotations && { annotations }),
  };
  const replicas = fixedReplicas(settings, "app");
  return {
    service: {
      apiVersion: "v1" as const,
      kind: "Service" as const,
      // At the first release the Service has no pods yet, so Pulumi must not wait for it. Pulumi waits for the
      // Deployment instead.
      metadata: {
        ...metadata,
        name: serviceName(settings, service),
        annotations: { ...service.annotations, ...annotations, "pulumi.com/skipAwait": "true" },
      },
      spec: {
        ...service.spec,
        type: service.type,
        selector: service.selector ?? matchLabels,
        ports: servicePorts(settings, service),
      },
    },
    deployment: {
      apiVersion: "apps/v1" as const,
      kind: "Deployment" as const,
      metadata,
      spec: {
        ...(replicas === undefined ? {} : { replicas }),
        revisionHistoryLimit: 5,
        progressDeadlineSeconds: settings.progressDeadline.seconds,
        strategy: updateStrategy(settings),
        selector: { matchLabels },
        template: withPodFragment(podTemplate(args, matchLabels), settings.pod),
      },
    },
    budget: mayHaveSeveral(settings, "app")
      ? {
          apiVersion: "policy/v1" as const,
          kind: "PodDisruptionBudget" as const,
          metadata,
          spec: { maxUnavailable: disruptionsAllowed(settings), selector: { matchLabels } },
        }
      : undefined,
    autoscaler: settings.autoscaling && autoscalerManifest(metadata, settings.container, settings.autoscaling),
  };
}

/** Returns the name of the Service, which is the app's unless the settings name another. */
export function serviceName(app: Pick<AppSettings, "name">, service: Pick<Settings["service"], "name">): string {
  return service.name ?? app.name;
}

function servicePorts(
  { adopt, port: containerPort, portName }: AppSettings,
  { port, portName: name, nodePort, ports }: Settings["service"],
) {
  const main = {
    ...(name && { name }),
    port,
    // A pod of another tool may call its port something else. By its number the Service finds the port of the old pods
    // and of the new ones.
    targetPort: adopt ? containerPort : portName,
    protocol: "TCP",
    ...(nodePort && { nodePort }),
  };
  return [main, ...ports.map((each) => ({ ...each, protocol: "TCP" }))];
}

/** Returns the labels by which the Deployment selects its pods. */
export function appSelector({ name, selector }: Pick<AppSettings, "name" | "selector">): Record<string, string> {
  return selector ?? { "app.kubernetes.io/name": name, "app.kubernetes.io/component": "app" };
}

function podTemplate(
  { settings, releaseId, database, provided, gate }: AppArgs,
  matchLabels: Record<string, string>,
): types.input.core.v1.PodTemplateSpec {
  const health = {
    httpGet: { path: settings.healthPath, port: settings.portName },
    periodSeconds: PROBE_PERIOD_SECONDS,
  };
  return {
    metadata: {
      labels: { ...labels(settings.name, "app"), ...matchLabels },
      // The annotation makes every release start new pods, because a running pod may have cached query plans or
      // data of the old schema.
      annotations: { [RELEASE_ANNOTATION]: releaseId },
    },
    spec: podSpec(gate, database, {
      ...podIdentity(settings),
      terminationGracePeriodSeconds: settings.terminationGrace.seconds,
      topologySpreadConstraints: ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
        maxSkew: 1,
        topologyKey,
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels },
      })),
      containers: [
        {
          name: settings.container,
          image: settings.image,
          command: settings.command,
          args: settings.args,
          ports: [{ name: settings.portName, containerPort: settings.port }],
          env: [{ name: "PORT", value: String(settings.port) }, ...environment(database, settings.env, provided)],
          resources: settings.resources,
          securityContext: CONTAINER_SECURITY,
          startupProbe: {
            ...health,
            failureThreshold: Math.ceil(settings.startupTimeout.seconds / PROBE_PERIOD_SECONDS),
          },
          readinessProbe: { ...health, timeoutSeconds: 2, failureThreshold: 2 },
          // Without app.livenessPath only the port is probed. The health path may query the database, and then
          // Kubernetes would restart every pod whenever the database is unreachable.
          livenessProbe: {
            ...(settings.livenessPath
              ? { httpGet: { path: settings.livenessPath, port: settings.portName } }
              : { tcpSocket: { port: settings.portName } }),
            periodSeconds: 10,
            timeoutSeconds: 2,
            failureThreshold: 3,
          },
          // The pod goes on answering for a while, until every proxy has stopped sending requests to it. Kubernetes
          // before 1.33 refuses a pause of 0 s.
          ...(settings.preStop.seconds > 0
            ? { lifecycle: { preStop: { sleep: { seconds: settings.preStop.seconds } } } }
            : {}),
        },
      ],
    }),
  };
}
