import { endpointsOf } from "./endpoints";
import { isOwnedBy, type KubernetesObject } from "./object";
import { podMessage } from "./pod-message";
import type { Condition, Pod } from "./pod-types";
import { podsOf } from "./pods-of";
import { REVISION, replicaSetsOf } from "./revision";
import type { Store } from "./store";

/**
 * Decides when an object is ready and why it is not, with the rules and messages of Pulumi's Kubernetes provider
 * (pulumi-kubernetes 4.32, provider/pkg/await). It observes the changes of the object and of its pods.
 */
export interface ReadyCheck {
  observe(changed: KubernetesObject): void;
  verdict(object: KubernetesObject): "ready" | "waiting" | "failed";
  /** The reasons why the object is not ready, one message each. */
  reasons(object: KubernetesObject): string[];
}

const SKIP_AWAIT = "pulumi.com/skipAwait";

/** Returns the check for an object; undefined for kinds that are ready as soon as they exist. */
export function readyCheck(store: Store, object: KubernetesObject): ReadyCheck | undefined {
  if (object.metadata.annotations?.[SKIP_AWAIT] === "true") return undefined;
  return CHECKS[`${object.apiVersion}/${object.kind}`]?.(store, object);
}

const CHECKS: Record<string, (store: Store, object: KubernetesObject) => ReadyCheck> = {
  "batch/v1/Job": jobCheck,
  "apps/v1/Deployment": deploymentCheck,
  "v1/Service": serviceCheck,
  "v1/Pod": podCheck,
};

/** Collects the messages of the pods in order, because the pod of a Job that met its deadline is gone when it fails. */
function jobCheck(store: Store, job: KubernetesObject): ReadyCheck {
  const messages = new Set<string>();
  const observe = (changed: KubernetesObject) => {
    if (changed.kind !== "Pod" || !isOwnedBy(changed, job)) return;
    const message = podMessage(changed as unknown as Pod);
    if (message) messages.add(message);
  };
  for (const pod of podsOf(store, job)) observe(pod as unknown as KubernetesObject);
  const failure = (object: KubernetesObject) =>
    conditionsOf(object).find(
      ({ type, status, reason = "" }) =>
        type === "Failed" && status === "True" && ["BackoffLimitExceeded", "DeadlineExceeded"].includes(reason),
    );
  return {
    observe,
    verdict(object) {
      if (failure(object)) return "failed";
      return isTrue(object, "Complete") ? "ready" : "waiting";
    },
    reasons(object) {
      const failed = failure(object);
      return [...messages, ...(failed ? [`[${failed.reason}] ${failed.message}`] : [])];
    },
  };
}

function deploymentCheck(store: Store): ReadyCheck {
  const currentSet = (object: KubernetesObject) =>
    replicaSetsOf(store, object).find((set) => set.metadata.annotations?.[REVISION] === revisionOf(object));
  const state = (object: KubernetesObject) => {
    const set = currentSet(object);
    return {
      observed: object["status"]?.observedGeneration === object.metadata.generation,
      available: isTrue(object, "Available"),
      progressed: conditionsOf(object).some(
        ({ type, status, reason }) =>
          type === "Progressing" && status === "True" && reason === "NewReplicaSetAvailable",
      ),
      setReady: set !== undefined && (set["status"]?.readyReplicas ?? 0) >= set["spec"].replicas,
      first: revisionOf(object) === "1",
    };
  };
  return {
    observe() {},
    verdict(object) {
      const { observed, available, progressed, setReady, first } = state(object);
      return observed && available && setReady && (first || progressed) ? "ready" : "waiting";
    },
    reasons(object) {
      const { available, progressed, setReady, first } = state(object);
      const conditions = conditionsOf(object).filter(
        ({ type, status, reason }) => status !== "True" && reason && ["Progressing", "Available"].includes(type),
      );
      const set = currentSet(object);
      const pods = set ? podsOf(store, set).flatMap((pod) => podMessage(pod) ?? []) : [];
      return [
        ...conditions.map(({ reason, message }) => `[${reason}] ${message}`),
        ...shortfall({ available, progressed: first || progressed, setReady, first }),
        ...pods,
      ];
    },
  };
}

function shortfall(state: { available: boolean; progressed: boolean; setReady: boolean; first: boolean }): string[] {
  if (!state.available) return ["Minimum number of live Pods was not attained"];
  if (!state.progressed || (state.first && !state.setReady)) {
    return ["Minimum number of Pods to consider the application live was not attained"];
  }
  if (state.setReady) return [];
  return ["Attempted to roll forward to new ReplicaSet, but minimum number of Pods did not become live"];
}

/**
 * Pulumi waits until no selected pod is unready. It then waits 10 s more for late endpoints, which this cloud doesn't
 * need, because its endpoints change together with the pods.
 */
function serviceCheck(store: Store): ReadyCheck {
  const waitsForPods = ({ spec }: KubernetesObject) =>
    spec.type !== "ExternalName" && spec.clusterIP !== "None" && Object.keys(spec.selector ?? {}).length > 0;
  return {
    observe() {},
    verdict: (object) =>
      !waitsForPods(object) || endpointsOf(store, object).notReady.length === 0 ? "ready" : "waiting",
    reasons: (object) =>
      waitsForPods(object) && endpointsOf(store, object).ready.length === 0
        ? [
            "Service does not target any Pods. Selected Pods may not be ready, or field '.spec.selector' may not match labels on any Pods",
          ]
        : [],
  };
}

function podCheck(): ReadyCheck {
  return {
    observe() {},
    verdict: (object) => (isTrue(object, "Ready") || object["status"]?.phase === "Succeeded" ? "ready" : "waiting"),
    reasons: (object) => [podMessage(object as unknown as Pod) ?? []].flat(),
  };
}

function conditionsOf(object: KubernetesObject): Condition[] {
  return object["status"]?.conditions ?? [];
}

function isTrue(object: KubernetesObject, type: string): boolean {
  return conditionsOf(object).some((condition) => condition.type === type && condition.status === "True");
}

function revisionOf(object: KubernetesObject): string | undefined {
  return object.metadata.annotations?.[REVISION];
}
