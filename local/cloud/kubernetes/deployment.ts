import { createHash } from "node:crypto";
import type { ControlLoop } from "./control-loop";
import { deploymentStatus } from "./deployment-status";
import { type KubernetesObject, referenceTo } from "./object";
import type { PodTemplate } from "./pods-of";
import { isTerminating, LETTERS, podsOf } from "./pods-of";
import { availableSince, scaleReplicaSet } from "./replica-set";
import { REVISION, replicaSetsOf, revisionNumber } from "./revision";
import { nextStep, resolveBounds } from "./rollout";
import type { WritableStore } from "./store";

const TEMPLATE_HASH = "pod-template-hash";

/** The Deployment controller: creates one ReplicaSet per pod template, and moves from the old ones to the new one. */
export function reconcileDeployment(store: WritableStore, loop: ControlLoop, deployment: KubernetesObject): void {
  const sets = replicaSetsOf(store, deployment);
  if (deployment.metadata.deletionTimestamp) {
    remove(store, deployment, sets);
    return;
  }

  const hash = templateHash(deployment["spec"].template);
  const existing = sets.find((set) => set.metadata.labels?.[TEMPLATE_HASH] === hash);
  const current = existing ? withRevision(store, existing, sets) : createReplicaSet(store, deployment, hash, sets);
  const old = sets.filter((set) => set.metadata.name !== current.metadata.name);

  const sizes = deployment["spec"].paused
    ? { current: current["spec"].replicas, old: old.map((set) => set["spec"].replicas) }
    : targetSizes(store, deployment, current, old);
  scaleReplicaSet(store, current, sizes.current);
  old.forEach((set, i) => {
    scaleReplicaSet(store, set, sizes.old[i]!);
  });
  prune(store, deployment, old);

  const annotated = annotate(store, deployment, current.metadata.annotations?.[REVISION] ?? "1");
  const { status, again } = deploymentStatus(store, annotated, replicaSetsOf(store, deployment), current.metadata.name);
  store.setStatus(annotated, status);
  if (again !== undefined) loop.after(deployment, again);
}

function targetSizes(
  store: WritableStore,
  deployment: KubernetesObject,
  current: KubernetesObject,
  old: KubernetesObject[],
): { current: number; old: number[] } {
  const desired: number = deployment["spec"].replicas;
  if (deployment["spec"].strategy.type === "Recreate") {
    const gone = old.every((set) => podsOf(store, set).length === 0);
    return { current: gone ? desired : current["spec"].replicas, old: old.map(() => 0) };
  }
  const { maxSurge, maxUnavailable } = deployment["spec"].strategy.rollingUpdate;
  const minReady: number = deployment["spec"].minReadySeconds ?? 0;
  const counts = (set: KubernetesObject) => ({
    wanted: set["spec"].replicas as number,
    available: podsOf(store, set).filter((pod) => !isTerminating(pod) && availableSince(pod, minReady) <= Date.now())
      .length,
  });
  return nextStep({
    desired,
    ...resolveBounds(desired, maxSurge, maxUnavailable),
    current: counts(current),
    old: old.map(counts),
  });
}

function createReplicaSet(
  store: WritableStore,
  deployment: KubernetesObject,
  hash: string,
  sets: KubernetesObject[],
): KubernetesObject {
  const { apiVersion, kind, metadata, spec } = deployment;
  const template: PodTemplate = structuredClone(spec.template);
  const labels = { ...template.metadata?.labels, [TEMPLATE_HASH]: hash };
  return store.set({
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: `${metadata.name}-${hash}`,
      namespace: referenceTo(deployment).namespace,
      labels,
      annotations: { [REVISION]: String(1 + Math.max(0, ...sets.map(revisionNumber))) },
      ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid!, controller: true }],
      generation: 1,
    },
    spec: {
      replicas: 0,
      selector: { matchLabels: { ...spec.selector?.matchLabels, [TEMPLATE_HASH]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
    status: { replicas: 0 },
  });
}

/** Going back to an earlier template makes its ReplicaSet the newest one again. */
function withRevision(store: WritableStore, set: KubernetesObject, sets: KubernetesObject[]): KubernetesObject {
  const newest = Math.max(...sets.map(revisionNumber));
  if (revisionNumber(set) === newest) return set;
  const annotations = { ...set.metadata.annotations, [REVISION]: String(newest + 1) };
  return store.set({ ...set, metadata: { ...set.metadata, annotations } });
}

function annotate(store: WritableStore, deployment: KubernetesObject, revision: string): KubernetesObject {
  if (deployment.metadata.annotations?.[REVISION] === revision) return deployment;
  const annotations = { ...deployment.metadata.annotations, [REVISION]: revision };
  return store.set({ ...deployment, metadata: { ...deployment.metadata, annotations } });
}

function prune(store: WritableStore, deployment: KubernetesObject, old: KubernetesObject[]): void {
  const empty = old.filter((set) => set["spec"].replicas === 0 && podsOf(store, set).length === 0);
  const surplus = empty.length - (deployment["spec"].revisionHistoryLimit ?? 10);
  for (const set of empty.slice(0, Math.max(0, surplus))) store.remove(referenceTo(set));
}

/** Deletes in the foreground: pods first, then ReplicaSets, then the Deployment itself. */
function remove(store: WritableStore, deployment: KubernetesObject, sets: KubernetesObject[]): void {
  for (const set of sets) {
    scaleReplicaSet(store, set, 0);
    if (podsOf(store, set).length === 0) store.remove(referenceTo(set));
  }
  if (replicaSetsOf(store, deployment).length === 0) store.remove(referenceTo(deployment));
}

function templateHash(template: unknown): string {
  const canonical = JSON.stringify(template, (_, value) =>
    value && typeof value === "object" && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  const digest = createHash("sha256").update(canonical).digest();
  return [...digest.subarray(0, 10)].map((byte) => LETTERS[byte % LETTERS.length]).join("");
}
