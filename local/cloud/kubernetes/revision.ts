import { isOwnedBy, type KubernetesObject, referenceTo } from "./object";
import type { Store } from "./store";

/** The annotation of Deployments and ReplicaSets that contains the number of the rollout, counted from 1. */
export const REVISION = "deployment.kubernetes.io/revision";

/** The ReplicaSets of a Deployment, the oldest first. */
export function replicaSetsOf(store: Store, deployment: KubernetesObject): KubernetesObject[] {
  return store
    .list("apps", "ReplicaSet", referenceTo(deployment).namespace)
    .filter((set) => isOwnedBy(set, deployment))
    .sort((a, b) => revisionNumber(a) - revisionNumber(b));
}

export function revisionNumber(set: KubernetesObject): number {
  return Number(set.metadata.annotations?.[REVISION] ?? 0);
}
