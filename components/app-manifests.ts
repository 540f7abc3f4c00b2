import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { AppSettings, Settings } from "../settings/schema";
import { CONTAINER_SECURITY, type DatabaseAccess, environment, labels, podSecurity, RELEASE_ANNOTATION } from "./pods";

/** What one release of the app is made of. */
export interface AppArgs {
  namespace: pulumi.Input<string>;
  releaseId: string;
  settings: AppSettings;
  database: DatabaseAccess;
  /** Variables that other resources make, in place of the settings' of the same name. */
  provided?: Record<string, pulumi.Input<string>>;
  service: Settings["service"];
  protect: boolean;
}

/** Between two probes of a pod. */
const PROBE_PERIOD_SECONDS = 2;

/** The objects of the app, as they are applied; no budget where there is only one pod. */
export function appManifests(args: AppArgs) {
  const { namespace, settings, service } = args;
  const matchLabels = selector(settings.name);
  const metadata = { name: settings.name, namespace, labels: labels(settings.name, "app") };
  return {
    service: {
      apiVersion: "v1" as const,
      kind: "Service" as const,
      // First release: the Service finds no pod yet, and is not waited for; a rollout is.
      metadata: { ...metadata, annotations: { ...service.annotations, "pulumi.com/skipAwait": "true" } },
      spec: {
        type: service.type,
        selector: matchLabels,
        ports: [{ name: "http", port: service.port, targetPort: "http", protocol: "TCP" }],
      },
    },
    deployment: {
      apiVersion: "apps/v1" as const,
      kind: "Deployment" as const,
      metadata,
      spec: {
        replicas: settings.replicas,
        revisionHistoryLimit: 5,
        progressDeadlineSeconds: settings.progressDeadline.seconds,
        strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        selector: { matchLabels },
        template: podTemplate(args, matchLabels),
      },
    },
    budget:
      settings.replicas > 1
        ? {
            apiVersion: "policy/v1" as const,
            kind: "PodDisruptionBudget" as const,
            metadata,
            spec: { maxUnavailable: 1, selector: { matchLabels } },
          }
        : undefined,
  };
}

function selector(app: string): Record<string, string> {
  return { "app.kubernetes.io/name": app, "app.kubernetes.io/component": "app" };
}

function podTemplate(
  { settings, releaseId, database, provided }: AppArgs,
  matchLabels: Record<string, string>,
): types.input.core.v1.PodTemplateSpec {
  const health = { httpGet: { path: settings.healthPath, port: "http" }, periodSeconds: PROBE_PERIOD_SECONDS };
  return {
    metadata: {
      labels: labels(settings.name, "app"),
      // New pods for every release: a running one may hold plans and caches of the old schema.
      annotations: { [RELEASE_ANNOTATION]: releaseId },
    },
    spec: {
      ...(settings.serviceAccount ? { serviceAccountName: settings.serviceAccount } : {}),
      securityContext: podSecurity(settings.runAsUser),
      terminationGracePeriodSeconds: settings.terminationGrace.seconds,
      topologySpreadConstraints: ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
        maxSkew: 1,
        topologyKey,
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels },
      })),
      containers: [
        {
          name: "app",
          image: settings.image,
          command: settings.command,
          args: settings.args,
          ports: [{ name: "http", containerPort: settings.port }],
          env: [{ name: "PORT", value: String(settings.port) }, ...environment(database, settings.env, provided)],
          resources: settings.resources,
          securityContext: CONTAINER_SECURITY,
          startupProbe: {
            ...health,
            failureThreshold: Math.ceil(settings.startupTimeout.seconds / PROBE_PERIOD_SECONDS),
          },
          readinessProbe: { ...health, timeoutSeconds: 2, failureThreshold: 2 },
          // Without a path of its own only the port is probed: a health path that asks the database would restart every
          // pod whenever the database is away.
          livenessProbe: {
            ...(settings.livenessPath
              ? { httpGet: { path: settings.livenessPath, port: "http" } }
              : { tcpSocket: { port: "http" } }),
            periodSeconds: 10,
            timeoutSeconds: 2,
            failureThreshold: 3,
          },
          // The pod goes on answering while the news that it is leaving reaches every proxy.
          lifecycle: { preStop: { sleep: { seconds: settings.preStop.seconds } } },
        },
      ],
    },
  };
}
