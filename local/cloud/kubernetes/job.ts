import type { ControlLoop } from "./control-loop";
import { type KubernetesObject, referenceTo } from "./object";
import { type Condition, isFinished, isReady, type Pod, withCondition } from "./pod-types";
import { createPod, deletePod, isTerminating, podsOf } from "./pods-of";
import { timestamp, type WritableStore } from "./store";
import type { Timing } from "./timing";

interface JobStatus {
  startTime?: string;
  completionTime?: string;
  active?: number;
  ready?: number;
  succeeded?: number;
  failed?: number;
  conditions?: Condition[];
}

/**
 * The Job controller. A failed Job reports its failure only when none of its pods is running any more, so that the next
 * migrator can be started as soon as the failure is reported.
 */
export function reconcileJob(store: WritableStore, loop: ControlLoop, timing: Timing, job: KubernetesObject): void {
  const pods = podsOf(store, job);
  if (job.metadata.deletionTimestamp) {
    remove(store, job, pods);
    return;
  }
  const status: JobStatus = job["status"] ?? {};
  if (hasEnded(job)) return;

  const {
    parallelism = 1,
    completions = 1,
    backoffLimit = 6,
    activeDeadlineSeconds,
    suspend = false,
    template,
  } = job["spec"];
  const running = pods.filter((pod) => !isFinished(pod));
  const active = running.filter((pod) => !isTerminating(pod));
  const succeeded = pods.filter((pod) => pod.status?.phase === "Succeeded").length;
  const failedPods = pods.filter((pod) => pod.status?.phase === "Failed");
  // Pods that the controller itself deleted are no longer in the store, so the count never decreases.
  const failed = Math.max(status.failed ?? 0, failedPods.length);
  const started: JobStatus = suspend ? status : { startTime: timestamp(), ...status };
  const elapsed = started.startTime === undefined ? 0 : Date.now() - Date.parse(started.startTime);

  const next: JobStatus = {
    ...started,
    ...count("active", active.length),
    ...count("ready", active.filter(isReady).length),
    ...count("succeeded", succeeded),
    ...count("failed", failed),
  };
  const failures = failed + Math.max(0, ...active.map(restartsOf));
  const verdict = verdictOf({ elapsed, activeDeadlineSeconds, failures, backoffLimit, status });
  if (verdict) {
    for (const pod of active) deletePod(store, pod);
    store.setStatus(job, failedStatus(next, verdict, running.length > 0));
    return;
  }
  if (succeeded >= completions) {
    const conditions = withCondition(next.conditions ?? [], { type: "Complete", status: "True" }, timestamp());
    store.setStatus(job, { ...next, completionTime: timestamp(), conditions });
    return;
  }
  store.setStatus(job, next);
  if (activeDeadlineSeconds !== undefined && !suspend) loop.after(job, activeDeadlineSeconds * 1000 - elapsed);
  if (suspend) return void active.map((pod) => deletePod(store, pod));

  const wanted = Math.min(parallelism, completions - succeeded);
  if (running.length >= wanted) return;
  const wait = failed === 0 ? 0 : timing.jobBackOff(failed - 1) - sinceLastFailure(failedPods);
  if (wait > 0) loop.after(job, wait);
  else for (let i = running.length; i < wanted; i++) createPod(store, job, template);
}

function hasEnded(job: KubernetesObject): boolean {
  const conditions = (job["status"]?.conditions ?? []) as Condition[];
  return conditions.some(({ type, status }) => (type === "Complete" || type === "Failed") && status === "True");
}

/** The status of a failed Job. The failure is reported once no pod is running; `ending` is true until then. */
function failedStatus(status: JobStatus, verdict: Verdict, ending: boolean): JobStatus {
  const now = timestamp();
  const target = withCondition(status.conditions ?? [], { ...verdict, type: "FailureTarget", status: "True" }, now);
  if (ending) return { ...status, conditions: target };
  const { active: _, ready: __, ...ended } = status;
  const conditions = withCondition(target, { ...verdict, type: "Failed", status: "True" }, now);
  return { ...ended, failed: Math.max(status.failed ?? 0, 1), conditions };
}

interface Verdict {
  reason: string;
  message: string;
}

function verdictOf(state: {
  elapsed: number;
  activeDeadlineSeconds?: number;
  failures: number;
  backoffLimit: number;
  status: JobStatus;
}): Verdict | undefined {
  const decided = state.status.conditions?.find(({ type }) => type === "FailureTarget");
  if (decided) return { reason: decided.reason ?? "", message: decided.message ?? "" };
  if (state.failures > state.backoffLimit) {
    return { reason: "BackoffLimitExceeded", message: "Job has reached the specified backoff limit" };
  }
  if (state.activeDeadlineSeconds !== undefined && state.elapsed >= state.activeDeadlineSeconds * 1000) {
    return { reason: "DeadlineExceeded", message: "Job was active longer than specified deadline" };
  }
  return undefined;
}

/** Deletes in the foreground: the Job is removed only when the processes of its pods have ended. */
function remove(store: WritableStore, job: KubernetesObject, pods: Pod[]): void {
  for (const pod of pods) deletePod(store, pod);
  if (pods.length === 0) store.remove(referenceTo(job));
}

function count(field: string, value: number): Record<string, number> {
  return field === "ready" || value > 0 ? { [field]: value } : {};
}

/** The number of restarts. They count as failures with restartPolicy "OnFailure"; with "Never" there are none. */
function restartsOf(pod: Pod): number {
  return (pod.status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0);
}

function sinceLastFailure(failedPods: Pod[]): number {
  const ends = failedPods.flatMap((pod) =>
    (pod.status?.containerStatuses ?? []).map(({ state }) => Date.parse(state.terminated?.finishedAt ?? "")),
  );
  return Date.now() - Math.max(0, ...ends.filter((time) => !Number.isNaN(time)));
}
