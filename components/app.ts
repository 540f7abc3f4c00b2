import type { types } from "@pulumi/kubernetes";
import { Deployment } from "@pulumi/kubernetes/apps/v1";
import { Service } from "@pulumi/kubernetes/core/v1";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1";
import * as pulumi from "@pulumi/pulumi";
import { CONTAINER_SECURITY, environment, labels, podSecurity, RELEASE_ANNOTATION } from "./pods";
import type { AppSettings, Settings } from "./settings";

export interface AppArgs {
  namespace: string;
  releaseId: string;
  settings: AppSettings;
  database: Settings["database"];
  service: Settings["service"];
  protect: boolean;
}

/** Between two probes of a pod. */
const PROBE_PERIOD_SECONDS = 2;

/** Added to progressDeadline: only Pulumi's own time-out ends a stuck rollout, ProgressDeadlineExceeded is just logged. */
const AWAIT_MARGIN_SECONDS = 30;

/**
 * The app: a Deployment that is updated pod by pod without ever having fewer ready pods than `replicas`, the Service in
 * front of it and, where there is more than one pod, a PodDisruptionBudget.
 *
 * Nothing here takes an output of the migration's objects: when one of those is replaced, the engine would see the
 * Deployment's inputs as unknown and delete it before the migration runs (pulumi-kubernetes#1567). `dependsOn` is safe.
 */
export class App extends pulumi.ComponentResource {
  readonly deployment: Deployment;
  readonly service: Service;
  /** Where the app answers, `http://host[:port]`. */
  readonly url: pulumi.Output<string>;

  constructor(name: string, args: AppArgs, opts?: pulumi.ComponentResourceOptions) {
    super("release:index:App", name, {}, opts);
    const { namespace, settings, service, protect } = args;
    const matchLabels = selector(settings.name);
    const metadata = { name: settings.name, namespace, labels: labels(settings.name, "app") };
    const timeout = settings.progressDeadline.plus(AWAIT_MARGIN_SECONDS).text;
    // A component's dependsOn is not its children's: without their own, `--target` and `--continue-on-error` go past it.
    const child = { parent: this, dependsOn: opts?.dependsOn };

    // First release: the Service finds no pod yet, and is not waited for; a rollout is, below.
    this.service = new Service(
      settings.name,
      {
        metadata: { ...metadata, annotations: { ...service.annotations, "pulumi.com/skipAwait": "true" } },
        spec: {
          type: service.type,
          selector: matchLabels,
          ports: [{ name: "http", port: service.port, targetPort: "http", protocol: "TCP" }],
        },
      },
      { ...child, protect },
    );

    this.deployment = new Deployment(
      settings.name,
      {
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
      { ...child, protect, customTimeouts: { create: timeout, update: timeout } },
    );

    if (settings.replicas > 1) {
      new PodDisruptionBudget(
        settings.name,
        { metadata, spec: { maxUnavailable: 1, selector: { matchLabels } } },
        child,
      );
    }

    this.url = pulumi
      .all([this.service.spec, this.service.status])
      .apply(([spec, status]) => serviceUrl(settings.name, namespace, service, spec, status));
    this.registerOutputs({ url: this.url });
  }
}

function selector(app: string): Record<string, string> {
  return { "app.kubernetes.io/name": app, "app.kubernetes.io/component": "app" };
}

function podTemplate(
  { settings, releaseId, database }: AppArgs,
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
      securityContext: podSecurity(settings.user),
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
          env: [{ name: "PORT", value: String(settings.port) }, ...environment(database, settings.env)],
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

function serviceUrl(
  name: string,
  namespace: string,
  settings: Settings["service"],
  spec: types.output.core.v1.ServiceSpec,
  status: types.output.core.v1.ServiceStatus | undefined,
): string {
  const at = (host: string, port: number) => `http://${host}${port === 80 ? "" : `:${port}`}`;
  if (settings.type === "NodePort") return at(settings.host!, spec.ports[0]!.nodePort);
  const ingress = status?.loadBalancer?.ingress?.[0];
  const host = settings.host ?? ingress?.hostname ?? ingress?.ip ?? `${name}.${namespace}.svc.cluster.local`;
  return at(host, settings.port);
}
