import type { types } from "@pulumi/kubernetes";
import { Deployment } from "@pulumi/kubernetes/apps/v1";
import { HorizontalPodAutoscaler } from "@pulumi/kubernetes/autoscaling/v2";
import { CronJob } from "@pulumi/kubernetes/batch/v1";
import * as pulumi from "@pulumi/pulumi";
import type { Settings, WorkloadSettings } from "../settings/schema";
import { autoscalerManifest } from "./autoscaler";
import { childOf, rolloutTimeouts } from "./child";
import type { DatabaseSource } from "./database-environment";
import { asApplied, deploymentAsApplied, type LiveRollout } from "./live-rollout";
import { withPodFragment } from "./pod-fragment";
import { CONTAINER_SECURITY, environment, labels, podIdentity, RELEASE_ANNOTATION } from "./pods";
import { fixedReplicas, type PodNumber } from "./replicas";
import { podSpec, type SchemaGate } from "./schema-gate";
import type { WayBack } from "./way-back";

/** The arguments of a worker or a scheduled task: those that it shares with the app, and its own settings. */
export interface WorkloadArgs {
  app: Settings["app"];
  namespace: pulumi.Input<string>;
  releaseId: string;
  database: DatabaseSource;
  /** Environment variables from other resources of the program. They replace settings of the same name. */
  provided?: Record<string, pulumi.Input<string>>;
  settings: WorkloadSettings;
  /** The init container that lets a pod start. Default: none. */
  gate?: SchemaGate | undefined;
  /** What the rollout gate found in the cluster; undefined if it was not asked or did not answer. */
  live?: LiveRollout | undefined;
  /** What tells the way back if the rollout fails. Default: nothing is told. */
  wayBack?: WayBack | undefined;
}

/** Another part of the app that uses the same database: a worker (Deployment) or a scheduled task (CronJob). */
export class Workload extends pulumi.ComponentResource {
  /** The id of the Kubernetes object, which is known once it is rolled out. */
  readonly id: pulumi.Output<string>;

  constructor(name: string, args: WorkloadArgs, opts?: pulumi.ComponentResourceOptions) {
    super("release:index:Workload", name, {}, opts);
    const { settings, live } = args;
    const manifest = workloadManifest(args);
    const child = childOf(this, opts);
    if (manifest.kind === "CronJob") {
      this.id = new CronJob(name, asApplied(manifest, live), child).id;
    } else {
      const customTimeouts = rolloutTimeouts(args.app.progressDeadline);
      const pods: PodNumber = settings.kind === "worker" ? settings : {};
      const { manifest: applied, ignoreChanges } = deploymentAsApplied(manifest, pods, "worker", live);
      const hooks = args.wayBack?.hooks("rollout", `Deployment ${manifest.metadata.name}`);
      const deployment = new Deployment(name, applied, { ...child, customTimeouts, ignoreChanges, ...hooks });
      this.id = deployment.id;
      const autoscaler = workloadAutoscaler(args);
      if (autoscaler) new HorizontalPodAutoscaler(name, asApplied(autoscaler, live), childOf(this, opts, [deployment]));
    }
    this.registerOutputs({});
  }
}

/** Returns the manifest of a workload. */
export function workloadManifest(args: WorkloadArgs) {
  const { app, namespace, settings } = args;
  const metadata = { name: `${app.name}-${settings.name}`, namespace, labels: labels(app.name, settings.name) };
  if (settings.kind === "worker") {
    const replicas = fixedReplicas(settings, "worker");
    return {
      apiVersion: "apps/v1" as const,
      kind: "Deployment" as const,
      metadata,
      spec: {
        ...(replicas === undefined ? {} : { replicas }),
        revisionHistoryLimit: 5,
        progressDeadlineSeconds: app.progressDeadline.seconds,
        selector: { matchLabels: labels(app.name, settings.name) },
        template: withPodFragment(podTemplate(args), settings.pod),
      },
    };
  }
  return {
    apiVersion: "batch/v1" as const,
    kind: "CronJob" as const,
    metadata,
    spec: {
      schedule: settings.schedule,
      concurrencyPolicy: "Forbid",
      jobTemplate: {
        spec: {
          backoffLimit: 0,
          activeDeadlineSeconds: settings.deadline.seconds,
          template: withPodFragment(podTemplate(args, { restartPolicy: "Never" }), settings.pod),
        },
      },
    },
  };
}

/** Returns the autoscaler of a worker whose settings ask for one. */
export function workloadAutoscaler(args: WorkloadArgs) {
  const { settings } = args;
  if (settings.kind !== "worker" || !settings.autoscaling) return undefined;
  return autoscalerManifest(workloadManifest(args).metadata, settings.name, settings.autoscaling);
}

function podTemplate(
  { app, releaseId, database, settings, provided, gate }: WorkloadArgs,
  spec: Pick<types.input.core.v1.PodSpec, "restartPolicy"> = {},
): types.input.core.v1.PodTemplateSpec {
  return {
    metadata: { labels: labels(app.name, settings.name), annotations: { [RELEASE_ANNOTATION]: releaseId } },
    spec: podSpec(gate, database, {
      ...spec,
      ...podIdentity(app),
      terminationGracePeriodSeconds: app.terminationGrace.seconds,
      containers: [
        {
          name: settings.name,
          image: settings.image ?? app.image,
          command: settings.command,
          args: settings.args,
          env: environment(database, { ...app.env, ...settings.env }, provided),
          resources: settings.resources,
          securityContext: CONTAINER_SECURITY,
        },
      ],
    }),
  };
}
