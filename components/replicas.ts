import type { AppSettings } from "../settings/schema";
import { DEFAULT_REPLICAS } from "../settings/sections/scaling";
import { isPulumi, type ManagedFields } from "./field-conflicts";

/** The settings that decide how many pods a Deployment has. */
export type PodNumber = Pick<AppSettings, "replicas" | "autoscaling">;

/** Whose number of pods it is: the app and the workers have different defaults. */
export type PodOwner = keyof typeof DEFAULT_REPLICAS;

/** The number of pods of a Deployment in the cluster. */
export interface LiveReplicas {
  count: number;
  /** Whether Pulumi is among those who set this number. */
  own: boolean;
}

/** Returns the number of pods that a release sets; undefined if it is left to an autoscaler. */
export function fixedReplicas({ replicas, autoscaling }: PodNumber, owner: PodOwner): number | undefined {
  if (autoscaling || replicas === "external") return undefined;
  return replicas ?? DEFAULT_REPLICAS[owner];
}

/** Returns the number of pods that a new Deployment starts with. */
export function initialReplicas(settings: PodNumber, owner: PodOwner): number {
  return fixedReplicas(settings, owner) ?? settings.autoscaling?.min ?? DEFAULT_REPLICAS[owner];
}

/** Whether the workload may come to have more than one pod. */
export function mayHaveSeveral(settings: PodNumber, owner: PodOwner): boolean {
  return (fixedReplicas(settings, owner) ?? settings.autoscaling?.max ?? Number.POSITIVE_INFINITY) > 1;
}

/** Reads the number of pods of a Deployment, and who set it; undefined if the object has no such number. */
export function liveReplicas(spec: unknown, managers: readonly ManagedFields[]): LiveReplicas | undefined {
  const count = (spec as { replicas?: unknown } | undefined)?.replicas;
  if (typeof count !== "number") return undefined;
  const sets = ({ fieldsV1 }: ManagedFields) => fieldsV1?.["f:spec"]?.["f:replicas"] !== undefined;
  return { count, own: managers.some((each) => isPulumi(each) && sets(each)) };
}

/** What a rollout does about the number of pods of a Deployment that exists. */
export type ReplicasPlan =
  /** It sets this number. */
  | { set: number }
  /**
   * It leaves the number as it is in the cluster when the Deployment is updated. `than` is the smaller number of the
   * settings, if somebody else added pods to it.
   */
  | { keep: true; than?: number };

/**
 * Decides what a rollout does about the number of pods. It never removes pods that an autoscaler or a person has added:
 * a release must not take away capacity while it replaces pods. It adds pods that are missing.
 *
 * @param live undefined if the Deployment doesn't exist, or if the cluster could not be asked
 */
export function replicasPlan(settings: PodNumber, owner: PodOwner, live: LiveReplicas | undefined): ReplicasPlan {
  const fixed = fixedReplicas(settings, owner);
  if (fixed === undefined) {
    // A HorizontalPodAutoscaler does nothing as long as its target has 0 pods
    // (https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#implicit-maintenance-mode-deactivation).
    return settings.autoscaling && live?.count === 0 ? { set: settings.autoscaling.min } : { keep: true };
  }
  if (live === undefined || live.count < fixed) return { set: fixed };
  // Where nothing is to be changed, the number that somebody sets between now and the rollout is kept too.
  if (live.own) return live.count === fixed ? { keep: true } : { set: fixed };
  return live.count === fixed ? { set: fixed } : { keep: true, than: fixed };
}
