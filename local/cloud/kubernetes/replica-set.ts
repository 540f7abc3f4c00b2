import type { KubernetesObject } from "./object";
import { isFinished, isReady, type Pod } from "./pod-types";
import { createPod, deletePod, isTerminating, podsOf } from "./pods-of";
import type { WritableStore } from "./store";

/** Scales a ReplicaSet: creates pods for missing and ended ones, and removes surplus ones, the least useful first. */
export function scaleReplicaSet(store: WritableStore, set: KubernetesObject, replicas: number): void {
  const sized =
    set["spec"].replicas === replicas
      ? set
      : store.set({
          ...set,
          metadata: { ...set.metadata, generation: (set.metadata.generation ?? 1) + 1 },
          spec: { ...set["spec"], replicas },
        });
  const pods = podsOf(store, set);
  for (const pod of pods.filter(isFinished)) deletePod(store, pod, 0);
  const alive = pods.filter((pod) => !isTerminating(pod) && !isFinished(pod));
  for (let i = alive.length; i < replicas; i++) createPod(store, sized, sized["spec"].template);
  const surplus = alive.sort(leastUsefulFirst).slice(0, Math.max(0, alive.length - replicas));
  for (const pod of surplus) deletePod(store, pod);

  const kept = podsOf(store, set).filter((pod) => !isTerminating(pod) && !isFinished(pod));
  const ready = kept.filter(isReady).length;
  store.setStatus(sized, {
    replicas: kept.length,
    fullyLabeledReplicas: kept.length,
    ...(ready > 0 ? { readyReplicas: ready, availableReplicas: ready } : {}),
    observedGeneration: sized.metadata.generation ?? 1,
  });
}

/** The time in ms from which the pod counts as available; infinity while it is not ready. */
export function availableSince(pod: Pod, minReadySeconds: number): number {
  const ready = pod.status?.conditions.find(({ type, status }) => type === "Ready" && status === "True");
  if (!ready) return Number.POSITIVE_INFINITY;
  return Date.parse(ready.lastTransitionTime ?? "") + minReadySeconds * 1000;
}

function leastUsefulFirst(a: Pod, b: Pod): number {
  if (isReady(a) !== isReady(b)) return isReady(a) ? 1 : -1;
  return (a.metadata.creationTimestamp ?? "") < (b.metadata.creationTimestamp ?? "") ? 1 : -1;
}
