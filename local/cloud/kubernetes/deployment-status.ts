import type { KubernetesObject } from "./object";
import { type Condition, isReady, withCondition } from "./pod-types";
import { isTerminating, podsOf } from "./pods-of";
import { availableSince } from "./replica-set";
import { resolveBounds } from "./rollout";
import { type Store, timestamp } from "./store";

interface DeploymentStatus {
  observedGeneration: number;
  replicas?: number;
  updatedReplicas?: number;
  readyReplicas?: number;
  availableReplicas?: number;
  unavailableReplicas?: number;
  conditions: Condition[];
}

/** The status of a Deployment, and the milliseconds after which it may change without any other change (`again`). */
export function deploymentStatus(
  store: Store,
  deployment: KubernetesObject,
  sets: KubernetesObject[],
  currentName: string,
): { status: DeploymentStatus; again?: number } {
  const desired: number = deployment["spec"].replicas;
  const minReady: number = deployment["spec"].minReadySeconds ?? 0;
  const podsIn = (set: KubernetesObject) => podsOf(store, set).filter((pod) => !isTerminating(pod));
  const pods = sets.flatMap(podsIn);
  const updated = sets.filter(({ metadata }) => metadata.name === currentName).flatMap(podsIn);
  const isAvailable = (pod: (typeof pods)[number]) => availableSince(pod, minReady) <= Date.now();
  const available = pods.filter(isAvailable).length;

  const counts = {
    replicas: pods.length,
    updatedReplicas: updated.length,
    readyReplicas: pods.filter(isReady).length,
    availableReplicas: available,
    unavailableReplicas: Math.max(0, desired - available),
  };
  const previous: DeploymentStatus | undefined = deployment["status"];
  const complete =
    updated.filter(isAvailable).length === desired && updated.length === desired && pods.length === updated.length;
  const progressed =
    !previous ||
    previous.observedGeneration !== deployment.metadata.generation ||
    (Object.keys(counts) as (keyof typeof counts)[]).some(
      (key) => key !== "unavailableReplicas" && (previous[key] ?? 0) !== counts[key],
    );

  const now = timestamp();
  const allUpdated = pods.length === updated.length;
  const progress = { complete, progressed, allUpdated, currentName };
  const progressing = progressCondition(deployment, previous?.conditions ?? [], progress);
  let conditions = withCondition(previous?.conditions ?? [], availability(deployment, available), now);
  conditions = withCondition(conditions, progressing, now);

  const nonZero = Object.fromEntries(Object.entries(counts).filter(([, value]) => value > 0));
  const soon = updated
    .map((pod) => availableSince(pod, minReady) - Date.now())
    .filter((wait) => wait > 0 && wait < 1e12);
  const deadline = complete ? [] : [Date.parse(progressing.lastUpdateTime!) + deadlineOf(deployment) - Date.now()];
  const waits = [...soon, ...deadline.filter((wait) => wait > 0)];
  return {
    status: { observedGeneration: deployment.metadata.generation ?? 1, ...nonZero, conditions },
    ...(waits.length > 0 ? { again: Math.min(...waits) + 50 } : {}),
  };
}

function availability(deployment: KubernetesObject, available: number): Condition {
  const desired: number = deployment["spec"].replicas;
  const { maxSurge = 0, maxUnavailable = 0 } = deployment["spec"].strategy.rollingUpdate ?? {};
  const allowed =
    deployment["spec"].strategy.type === "Recreate"
      ? 0
      : resolveBounds(desired, maxSurge, maxUnavailable).maxUnavailable;
  return available >= desired - allowed
    ? {
        type: "Available",
        status: "True",
        reason: "MinimumReplicasAvailable",
        message: "Deployment has minimum availability.",
      }
    : {
        type: "Available",
        status: "False",
        reason: "MinimumReplicasUnavailable",
        message: "Deployment does not have minimum availability.",
      };
}

function progressCondition(
  deployment: KubernetesObject,
  conditions: Condition[],
  progress: { complete: boolean; progressed: boolean; allUpdated: boolean; currentName: string },
): Condition {
  const { complete, progressed, allUpdated, currentName } = progress;
  const previous = conditions.find(({ type }) => type === "Progressing");
  const now = new Date().toISOString();
  const set = `ReplicaSet "${currentName}"`;
  const success = `${set} has successfully progressed.`;
  // A completed rollout stays completed, even if a pod crashes afterwards.
  if (previous?.message === success && allUpdated) return previous;
  if (complete) {
    const message = success;
    return { type: "Progressing", status: "True", reason: "NewReplicaSetAvailable", message, lastUpdateTime: now };
  }
  const since = Date.parse(previous?.lastUpdateTime ?? "");
  if (!previous || progressed || previous.reason === "NewReplicaSetAvailable" || Number.isNaN(since)) {
    const message = `${set} is progressing.`;
    return { type: "Progressing", status: "True", reason: "ReplicaSetUpdated", message, lastUpdateTime: now };
  }
  if (previous.reason !== "ProgressDeadlineExceeded" && Date.now() - since >= deadlineOf(deployment)) {
    const message = `${set} has timed out progressing.`;
    return { type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded", message, lastUpdateTime: now };
  }
  return previous;
}

/** The progress deadline in milliseconds; default: 600 s. */
function deadlineOf(deployment: KubernetesObject): number {
  return (deployment["spec"].progressDeadlineSeconds ?? 600) * 1000;
}
