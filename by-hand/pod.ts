import { setTimeout as pause } from "node:timers/promises";
import { MIGRATOR_CONTAINER } from "../settings/pod/migration-pod";
import { type ClusterEvent, ended, itemsOf, type Job, type Pod } from "./cluster-objects";
import { CommandFailure, EXIT } from "./failure";
import type { Kubectl } from "./kubectl";

/** The time between two looks at the pod, in milliseconds. */
const LOOK_MS = 400;

/** The time without a pod after which the Job's events are read, in milliseconds. */
const NO_POD_MS = 3_000;

/** The reasons for which a container waits and that don't pass by themselves. */
const FINAL = [
  ...["ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"],
  ...["CreateContainerConfigError", "CreateContainerError", "RunContainerError"],
];

/** Reads the pod of a Job; undefined if there is none yet, or no longer. */
async function podOf(kubectl: Kubectl, job: string): Promise<Pod | undefined> {
  return itemsOf<Pod>(await kubectl.run(["get", "pods", `--selector=job-name=${job}`, "--output=json"])).at(-1);
}

/**
 * Waits until the Job's container has started.
 * @param say is called with what is waited for, once for each reason
 * @returns the pod's name; undefined if `stop` was aborted before the container started
 * @throws CommandFailure if the cluster can't run the pod
 */
export async function startedPod(
  kubectl: Kubectl,
  job: string,
  stop: AbortSignal,
  say: (line: string) => void,
): Promise<string | undefined> {
  const began = Date.now();
  let said: string | undefined;
  for (;;) {
    const pod = await podOf(kubectl, job);
    const state = containerState(pod);
    // A container that has started is followed also after Ctrl-C, so that the migrator's last lines are seen.
    if (pod && (state?.running ?? state?.terminated)) return pod.metadata.name;
    if (stop.aborted) return undefined;
    if (pod) {
      const waits = waitsFor(pod);
      if (waits !== undefined && waits !== said) say(`The pod waits: ${waits}`);
      said = waits ?? said;
    } else if (Date.now() - began > NO_POD_MS) await refuseWithoutPod(kubectl, job);
    await pause(LOOK_MS, undefined, { signal: stop }).catch(() => undefined);
  }
}

/**
 * Returns what a pod waits for before it starts; undefined: for nothing that anybody has to know.
 * @throws CommandFailure if it will never start
 */
function waitsFor(pod: Pod): string | undefined {
  if (pod.status?.phase === "Failed") throw cantRun(`the pod failed: ${reasonOf(pod)}`);
  const { reason, message } = containerState(pod)?.waiting ?? {};
  if (reason !== undefined && FINAL.includes(reason)) throw cantRun(`${reason}: ${message ?? "no message"}`);
  const unscheduled = pod.status?.conditions?.find((each) => each.type === "PodScheduled" && each.status === "False");
  return unscheduled?.message ?? (reason === "ErrImagePull" ? message : undefined);
}

/** @throws CommandFailure if the Job has ended, or its events tell why it has no pod */
async function refuseWithoutPod(kubectl: Kubectl, job: string): Promise<void> {
  const end = await jobEnd(kubectl, job);
  if (end === "gone") throw cantRun("somebody deleted the Job");
  if (end !== undefined) throw cantRun(`the Job ended without a pod: ${end}`);
  const selector = `--field-selector=involvedObject.kind=Job,involvedObject.name=${job}`;
  // The right to read events is not required. Without it the command goes on waiting until the Job's deadline.
  const text = await kubectl.run(["get", "events", selector, "--output=json"]).catch(() => "");
  const failed = itemsOf<ClusterEvent>(text).findLast(({ reason }) => reason === "FailedCreate");
  if (failed) throw cantRun(failed.message ?? "its pod can't be created");
}

/** How a container ended. */
export interface ContainerEnd {
  /** The exit status; undefined: the pod is gone. */
  readonly status: number | undefined;
  /** Why it ended, if it didn't end by itself, such as `OOMKilled`. */
  readonly reason: string | undefined;
}

/**
 * Looks whether the container has ended.
 * @returns undefined while it runs
 */
export async function containerEnd(kubectl: Kubectl, job: string): Promise<ContainerEnd | undefined> {
  const pod = await podOf(kubectl, job);
  if (!pod) return { status: undefined, reason: await jobEnd(kubectl, job) };
  const terminated = containerState(pod)?.terminated;
  if (terminated) {
    const { exitCode, reason } = terminated;
    return { status: exitCode, reason: reason === "Error" || reason === "Completed" ? undefined : reason };
  }
  return pod.status?.phase === "Failed" ? { status: undefined, reason: reasonOf(pod) } : undefined;
}

/** Returns why a Job has ended, `gone` if there is no such Job, and undefined while it runs. */
async function jobEnd(kubectl: Kubectl, name: string): Promise<string | undefined> {
  const text = await kubectl.run(["get", "jobs", name, "--ignore-not-found", "--output=json"]);
  if (text.trim() === "") return "gone";
  const end = ended(JSON.parse(text) as Job);
  return end && (end.message ?? end.reason ?? end.type);
}

function containerState(pod: Pod | undefined) {
  return pod?.status?.containerStatuses?.find(({ name }) => name === MIGRATOR_CONTAINER)?.state;
}

function reasonOf({ status }: Pod): string {
  return [status?.reason, status?.message].filter(Boolean).join(": ") || "no reason is given";
}

function cantRun(reason: string): CommandFailure {
  return new CommandFailure(
    EXIT.cluster,
    `The cluster can't run the Job: ${reason}`,
    "not connected to; nothing was changed.",
    "see to what it says, then the same command again",
  );
}
