import { randomInt } from "node:crypto";
import { isOwnedBy, type KubernetesObject, referenceTo } from "./object";
import type { Pod } from "./pod-types";
import { type Store, timestamp, type WritableStore } from "./store";

/** The letters of generated names, without vowels to avoid words (k8s.io/apimachinery, `rand.SafeEncodeString`). */
export const LETTERS = "bcdfghjklmnpqrstvwxz2456789";

function randomSuffix(length = 5): string {
  return Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)]).join("");
}

export function podsOf(store: Store, owner: KubernetesObject): Pod[] {
  const pods = store.list("", "Pod", referenceTo(owner).namespace);
  return pods.filter((pod) => isOwnedBy(pod, owner)) as unknown as Pod[];
}

export function isTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

export interface PodTemplate {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
  spec: Pod["spec"];
}

/** Creates a pod from a controller's template, owned by the controller. */
export function createPod(store: WritableStore, owner: KubernetesObject, template: PodTemplate): void {
  const { apiVersion, kind, metadata } = owner;
  store.set({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `${metadata.name.slice(0, 57)}-${randomSuffix()}`,
      namespace: referenceTo(owner).namespace,
      labels: { ...template.metadata?.labels },
      annotations: { ...template.metadata?.annotations },
      ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid!, controller: true }],
    },
    spec: structuredClone(template.spec),
    status: { phase: "Pending", conditions: [] },
  });
}

/** Marks a pod for deletion. From now on no Service uses it; the node ends it and then removes the object. */
export function deletePod(store: WritableStore, pod: Pod, graceSeconds?: number): void {
  if (isTerminating(pod)) return;
  const grace = graceSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
  store.set({
    ...(pod as unknown as KubernetesObject),
    metadata: { ...pod.metadata, deletionTimestamp: timestamp(), deletionGracePeriodSeconds: grace },
  });
}
