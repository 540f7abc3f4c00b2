import { isOwnedBy, type KubernetesObject, referenceTo } from "./object";
import type { Store } from "./store";

/** On Deployments and ReplicaSets: which rollout it is, counted from 1. */
export const REVISION = "deployment.kubernetes.io/revision";

/** The oldest first. */
export function replicaSetsOf(store: Store, deployment: KubernetesObject): KubernetesObject[] {
  return store
    .list("apps", "ReplicaSet", referenceTo(deployment).namespace)
    .filter((set) => isOwnedBy(set, deployment))
    .sort((a, b) => revisionNumber(a) - revisionNumber(b));
}

export function revisionNumber(set: KubernetesObject): number {
  return Number(set.metadata.annotations?.[REVISION] ?? 0);
}
