import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/schema";
import { isForeign } from "./adoption/foreign";
import type { FieldConflict } from "./field-conflicts";
import { interventionLines, interventionsIn, isKubectl, takenBackAt } from "./interventions";
import type { LiveObject } from "./live-objects";
import { type LivePart, type LiveRollout, livePartKey } from "./live-rollout";
import { MANIFEST_ANNOTATION, type Manifest, manifestHash } from "./manifest";
import { liveReplicas, type PodNumber, type PodOwner, replicasPlan } from "./replicas";

/** An object of the rollout that exists: as the release declares it, and as it is. */
interface Pair {
  manifest: Manifest;
  live: LiveObject;
}

/**
 * Returns what the rollout has to know about the objects that exist. It prints a warning about everything that others
 * have changed of them, and one about pods that the rollout leaves without any that serves.
 */
export function rolloutOver(settings: Settings, pairs: readonly Pair[]): LiveRollout {
  const takenBack: string[] = [];
  const rollout = new Map<string, LivePart>();
  for (const { manifest, live } of pairs) {
    const { pods, owner, key } = podNumberOf(settings, manifest);
    const replicas =
      manifest.kind === "Deployment" ? liveReplicas(live["spec"], live.metadata.managedFields ?? []) : undefined;
    const plan = replicasPlan(pods, owner, replicas);
    const changes = interventionsIn(manifest, live, "keep" in plan);
    const object = `${manifest.kind} ${manifest.metadata.name}`;
    // What another tool made is not a change of what a release had set.
    const foreign = isForeign(live);
    if (!foreign) takenBack.push(...interventionLines(object, changes.takenBack));
    if (changes.keptReplicas) warnOfKeptPods(manifest, key, changes.keptReplicas);
    if (replicas?.count === 0 && "keep" in plan && manifest.kind === "Deployment") warnOfNoPods(manifest, key);
    if (settings.app.strategy === "recreate" && key === "app") warnOfDowntime(manifest, live, changes.takenBack);
    rollout.set(livePartKey(manifest), {
      replicas,
      ...(foreign ? { foreign } : { takenBack: takenBackAt(changes, live) }),
    });
  }
  if (takenBack.length > 0) {
    void pulumi.log.warn(
      `Others have changed what this stack sets. The rollout sets it again:\n${takenBack.join("\n")}\n` +
        "Nothing was touched yet: the database and the app are as they were.\n" +
        "Next: to keep such a value, put it into the settings before you run `up`.",
    );
  }
  return rollout;
}

/** Returns the settings for the number of pods of a Deployment, and the key under which they stand. */
function podNumberOf(
  { app, workloads }: Settings,
  { metadata: { name } }: Manifest,
): { pods: PodNumber; owner: PodOwner; key: string } {
  const index = workloads.findIndex((each) => `${app.name}-${each.name}` === name);
  const workload = workloads[index];
  if (workload?.kind === "worker") return { pods: workload, owner: "worker", key: `workloads[${index}]` };
  return { pods: app, owner: "app", key: "app" };
}

function warnOfKeptPods({ metadata }: Manifest, key: string, { live, wanted, ...by }: FieldConflict): void {
  const { manager, subresource, time } = by;
  const who = `${manager}${subresource ? ` (${subresource})` : ""}${time ? ` at ${time}` : ""}`;
  const back = `kubectl -n ${metadata.namespace} scale deployments.apps ${metadata.name} --replicas=${wanted}`;
  void pulumi.log.warn(
    `Deployment ${metadata.name} has ${live} pods, set by ${who}, and ${key}.replicas is ${wanted}.\n` +
      `The rollout keeps the ${live} pods: it never removes pods that somebody else has added.\n` +
      (isKubectl(manager)
        ? `Next: to keep them, set ${key}.replicas to ${live}; to go back to ${wanted}: ${back}`
        : `Next: set ${key}.replicas to "external", because an autoscaler sets the number; to go back to ${wanted}, remove the autoscaler, then: ${back}`),
  );
}

function warnOfNoPods({ metadata }: Manifest, key: string): void {
  void pulumi.log.warn(
    `Deployment ${metadata.name} has 0 pods, and ${key}.replicas leaves the number to somebody else, so the rollout starts none.\n` +
      "Nothing was touched yet: the database and the app are as they were.\n" +
      `Next, if it should have pods: kubectl -n ${metadata.namespace} scale deployments.apps ${metadata.name} --replicas=1`,
  );
}

function warnOfDowntime(manifest: Manifest, live: LiveObject, takenBack: readonly FieldConflict[]): void {
  const unchanged = live.metadata.annotations?.[MANIFEST_ANNOTATION] === manifestHash(manifest);
  if (manifest.kind !== "Deployment" || (unchanged && takenBack.length === 0)) return;
  void pulumi.log.warn(
    `app.strategy is "recreate": requests fail from the moment the old pods of Deployment ${manifest.metadata.name} end until new ones are ready.\n` +
      "Nothing was touched yet: the old version serves until the migration is done.\n" +
      "Next: to release without downtime, leave app.strategy and app.downtime out.",
  );
}
