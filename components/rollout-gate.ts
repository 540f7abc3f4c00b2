import * as pulumi from "@pulumi/pulumi";
import type { PackedHistory } from "../review/packed-history";
import type { Settings } from "../settings/schema";
import { appManifests } from "./app-manifests";
import { fieldConflicts, isPulumi, type Json } from "./field-conflicts";
import type { ReportReader } from "./job-reports";
import { type LiveObject, liveObjects } from "./live-objects";
import type { LiveRollout } from "./live-rollout";
import { MANIFEST_ANNOTATION, type Manifest, manifestHash } from "./manifest";
import { ReleaseError } from "./release-error";
import { releaseIdOf } from "./release-id";
import { rolloutOver } from "./rollout-over";
import { workloadAutoscaler, workloadManifest } from "./workloads";

/**
 * This error reports that somebody else made what the rollout would change. It is thrown before anything is changed.
 */
export class RolloutRefused extends ReleaseError {
  override readonly name = "RolloutRefused";

  constructor(obstacles: Obstacle[]) {
    super(
      `The rollout of this release would fail, after the migration:\n${obstacles.map(({ what }) => what).join("\n")}\n` +
        "Nothing was touched: the database and the app are as they were.\n" +
        `Next: ${[...new Set(obstacles.map(({ next }) => next))].join("; ")}. Then run the same command again.`,
    );
  }
}

/** The reason why one object can't be rolled out, and the command that solves it. */
interface Obstacle {
  what: string;
  next: string;
}

/**
 * Checks whether the cluster will accept the objects of the rollout, which would otherwise end the release after the
 * migration: an object that Pulumi did not make is refused. It prints a warning that lists what others have changed of
 * the release's own objects, and who: the rollout takes that back, except for pods that somebody has added. If the
 * cluster can't be reached, the function prints a warning and the release continues.
 *
 * @param opts The provider of the package `command`, which asks the cluster.
 * @returns what exists in the cluster, for the rollout; undefined if the cluster did not answer
 * @throws {@link RolloutRefused} that names every obstacle
 */
export async function rolloutGate(
  settings: Settings,
  history: Pick<PackedHistory, "fingerprint">,
  reader: ReportReader,
  opts?: pulumi.InvokeOptions,
): Promise<LiveRollout | undefined> {
  const wanted = rolloutManifests(settings, history);
  const resources = wanted.map(({ kind, metadata: { name } }) => `${RESOURCES[kind]}/${name}`);
  const found = await liveObjects(reader, settings.namespace, resources, opts);
  if ("unknown" in found) {
    void pulumi.log.warn(
      `It is unknown whether the cluster will accept the rollout: ${found.unknown}.\n` +
        "Nothing was touched yet, and the release goes on: what an autoscaler or a person has changed is found after the migration.\n" +
        `Next: see that this answers where \`up\` runs: kubectl get deployments -n ${settings.namespace}`,
    );
    return undefined;
  }
  const pairs = wanted.flatMap((manifest) => {
    const live = found.objects.find(
      ({ kind, metadata: { name } }) => kind === manifest.kind && name === manifest.metadata.name,
    );
    return live ? [{ manifest, live }] : [];
  });
  const obstacles = pairs.flatMap(({ manifest, live }) => obstaclesOf(manifest, live));
  if (obstacles.length > 0) throw new RolloutRefused(obstacles);
  return rolloutOver(settings, pairs);
}

/** kubectl's name of the resource for each kind, with its API group, which makes the name unambiguous. */
const RESOURCES: Record<string, string> = {
  Service: "services",
  Deployment: "deployments.apps",
  CronJob: "cronjobs.batch",
  PodDisruptionBudget: "poddisruptionbudgets.policy",
  HorizontalPodAutoscaler: "horizontalpodautoscalers.autoscaling",
};

/** Returns the manifests of all objects that are applied after the migration. */
export function rolloutManifests(settings: Settings, { fingerprint }: Pick<PackedHistory, "fingerprint">): Manifest[] {
  const { app, namespace, database, service, workloads, policy } = settings;
  const shared = { namespace, releaseId: releaseIdOf(settings, fingerprint), database: { settings: database } };
  const web = appManifests({ ...shared, settings: app, service, protect: policy.protect });
  const others = workloads.map((each) => ({ ...shared, app, settings: each }));
  const optional = [web.budget, web.autoscaler, ...others.map(workloadAutoscaler)];
  return [web.service, web.deployment, ...optional.flatMap((each) => each ?? []), ...others.map(workloadManifest)];
}

/**
 * Returns the reasons why applying `wanted` over `live` would fail. The list is empty if it would succeed, or if the
 * release doesn't change the object.
 */
function obstaclesOf(wanted: Manifest, live: LiveObject): Obstacle[] {
  const { annotations = {}, managedFields = [] } = live.metadata;
  const { kind, metadata } = wanted;
  if (annotations[MANIFEST_ANNOTATION] === manifestHash(wanted) || managedFields.some(isPulumi)) return [];
  // Pulumi can take over a Service with the same values. It can't take over an object with pods, because its pods would
  // then have the containers of both.
  if (kind === "Service" && fieldConflicts(wanted as unknown as Json, live, managedFields).length === 0) return [];
  const object = `${kind} ${metadata.name}`;
  const makers = [...new Set(managedFields.map(({ manager }) => manager))].join(", ");
  return [
    {
      what: `  ${object} is there already, and Pulumi did not make it${makers ? ` (${makers} did)` : ""}.`,
      next: `to keep ${object}, set app.name to a name that is free; to have it replaced, kubectl -n ${metadata.namespace} delete ${RESOURCES[kind]} ${metadata.name}`,
    },
  ];
}
