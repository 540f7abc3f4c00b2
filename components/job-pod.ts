import { isGroup } from "../settings/pod/fields";
import { MIGRATOR_CONTAINER } from "../settings/pod/migration-pod";
import type { LiveObject } from "./live-objects";

/** What happened to the pod of a Job that the migrator itself can't report. */
export interface PodTrouble {
  /** What happened, in one sentence. */
  what: string;
  /** What to do before the same `up` is run again. Default: nothing. */
  before?: string;
}

/**
 * Returns what ended the pod of a failed Job from outside: an eviction, a pod of higher priority, or a deletion.
 * Returns undefined if the migrator ended by itself, whose last lines say why.
 *
 * @param pods The Job's pods that still exist. An evicted pod mostly doesn't.
 * @param events The events of the Job's pods.
 * @param error The provider's error about the Job.
 */
export function endOfPod(
  pods: readonly LiveObject[],
  events: readonly LiveObject[],
  error: string,
): PodTrouble | undefined {
  // Any other error is about the Job itself: it could not be made or deleted, or its deadline passed, at which the Job
  // deletes its pod.
  if (!/BackoffLimitExceeded/.test(error) || MIGRATOR_FAILED.test(error)) return undefined;
  const [pod] = pods;
  if (!pod) {
    const known = events.map(({ reason, message }) => troubleOf(reason, message)).find((each) => each !== undefined);
    return (
      known ?? { what: "Its pod was deleted while it ran: by an eviction, as when a node is drained, or by hand." }
    );
  }
  const status = isGroup(pod["status"]) ? pod["status"] : {};
  const disrupted = groups(status["conditions"]).find(
    (each) => each["type"] === "DisruptionTarget" && each["status"] === "True",
  );
  return disrupted
    ? troubleOf(disrupted["reason"], disrupted["message"])
    : troubleOf(status["reason"], status["message"]);
}

/** Matches the last lines of a migrator that failed by itself, and not because its pod was stopped. */
const MIGRATOR_FAILED = /FAILED \((?!stopped\))/;

/**
 * Returns what a reason of Kubernetes means. It is that of a condition `DisruptionTarget`
 * (https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions), of the pod's status, or
 * of an event.
 */
function troubleOf(reason: unknown, message: unknown): PodTrouble | undefined {
  const text = typeof message === "string" ? message.trim().replace(/\.$/, "") : "";
  const told = text === "" ? "" : `: ${text}`;
  switch (reason) {
    case "PreemptionByScheduler":
    case "Preempted":
    case "Preempting":
      return {
        what: `A pod of higher priority took the place of its pod${told}.`,
        before: "name a priority class in migrations.pod (spec.priorityClassName), or wait for a quieter time",
      };
    case "Evicted":
    case "TerminationByKubelet":
      return {
        what: `Its pod was evicted by its node${told}.`,
        before: "if the node lacked memory or disk, ask for more in migrations.resources (requests)",
      };
    case "DeletionByTaintManager":
    case "TaintManagerEviction":
      return {
        what: `Its pod was evicted, because its node got a taint that it doesn't tolerate${told}.`,
        before: "see that a node without that taint is there, or tolerate it in migrations.pod (spec.tolerations)",
      };
    case "EvictionByEvictionAPI":
      return { what: `Its pod was evicted, as when a node is drained${told}.` };
    case "DeletionByPodGC":
    case "NodeLost":
      return { what: `Its pod was lost with its node${told}.` };
    default:
      return undefined;
  }
}

/**
 * Returns the names of the containers that keep a Job from ending: those that still run although the migrator has
 * ended. A mesh or another webhook has added them; native sidecars are not among them, because Kubernetes ends these.
 */
export function lingeringContainers(pods: readonly LiveObject[]): string[] {
  return pods.flatMap(({ status }) => {
    const containers = isGroup(status) ? groups(status["containerStatuses"]) : [];
    const state = (container: Record<string, unknown>) => (isGroup(container["state"]) ? container["state"] : {});
    const ended = containers.some((each) => each["name"] === MIGRATOR_CONTAINER && "terminated" in state(each));
    const running = containers.filter((each) => "running" in state(each)).map((each) => String(each["name"]));
    return ended ? running : [];
  });
}

function groups(list: unknown): Record<string, unknown>[] {
  return Array.isArray(list) ? list.filter(isGroup) : [];
}
