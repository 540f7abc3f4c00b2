import { setTimeout as delay } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { onError } from "./error-hook";
import { endOfPod, lingeringContainers, type PodTrouble } from "./job-pod";
import type { ReportReader } from "./job-reports";
import type { JobStep } from "./job-step";
import { knownValue } from "./known-value";
import { eventsOfPods, type Found, podsOfJob } from "./live-objects";

/** A Job whose pod is watched. */
export interface WatchedJob {
  name: string;
  step: JobStep;
  namespace: pulumi.Input<string>;
  /** Default: pods can't be read, and nothing is said about them. */
  reader?: ReportReader | undefined;
}

/** The state of database and app after a Job's pod was ended from outside. */
const STATES: Record<JobStep, string> = {
  preflight: "Nothing was changed: database and app are as they were.",
  dump: "Nothing was changed: database and app are as they were. What was stored of the dump is removed by the next try.",
  branch: "Nothing was changed: database and app are as they were. A branch that was begun is found by the next try.",
  migrate:
    "The statement that ran was cancelled; migrations that were finished stay applied. The app that was serving goes on serving.",
  contract:
    "The new version serves. The statement that ran was cancelled; contract migrations that were finished stay applied.",
};

/**
 * Returns the options of a Job with which the program says what ended the Job's pod from outside. The migrator's own
 * last lines are often lost then, because Kubernetes deletes the pod with its log.
 *
 * @param parent The component whose providers read the pods.
 */
export function tellEndOfPod(job: WatchedJob, parent: pulumi.Resource): Pick<pulumi.CustomResourceOptions, "hooks"> {
  const { name, reader } = job;
  return reader ? onError(`${name}: tell what ended its pod`, endOfPodHook({ ...job, reader }, parent)) : {};
}

/** Returns the hook that says it. Pulumi must not try a Job again, because a person must see what a failed one left. */
export function endOfPodHook(
  { name, step, namespace, reader }: WatchedJob & { reader: ReportReader },
  parent: pulumi.Resource,
): pulumi.ErrorHookFunction {
  return async ({ errors: [error = ""] }) => {
    const known = await knownValue(namespace);
    const pods = await podsOfJob(reader, known, name, { parent });
    if (!("objects" in pods)) return false;
    const events = pods.objects.length === 0 ? await eventsOfPods(reader, known, name, { parent }) : [];
    const trouble = endOfPod(pods.objects, events, error);
    // pulumi.log can't be used here: it prints messages one after the other and holds back those of a resource
    // without a URN, which this Job never gets.
    if (trouble) console.warn(endedText(name, step, trouble));
    return false;
  };
}

/** Returns the message about a Job whose pod was ended from outside. */
export function endedText(name: string, step: JobStep, { what, before }: PodTrouble): string {
  const again = "run the same `up` again: it goes on from what is there";
  return `Job ${name} failed. ${what}\n${STATES[step]}\nNext: ${before ? `${before}; then ` : ""}${again}.`;
}

/** The time until the pods are looked at for the first time, and the longest pause between two looks. */
const PAUSES = { firstMs: 15_000, longestMs: 120_000 };

/**
 * Prints a warning when the migrator has ended and another container of its pod goes on. The Job would then end only at
 * its deadline, and without a reason.
 *
 * @param begins An output that is known when the Job begins.
 * @param ends An output that is known when the Job has ended.
 */
export function warnOfLingering(
  job: WatchedJob,
  { begins, ends, parent }: { begins: pulumi.Output<unknown>; ends: pulumi.Output<unknown>; parent: pulumi.Resource },
  pauses = PAUSES,
): void {
  const { reader } = job;
  if (!reader || pulumi.runtime.isDryRun()) return;
  const over = new AbortController();
  ends.apply(() => over.abort());
  pulumi.all([job.namespace, begins]).apply(([namespace]) => {
    void watch(job, over.signal, pauses, () => podsOfJob(reader, namespace, job.name, { parent }));
  });
}

async function watch(
  { name, step }: WatchedJob,
  over: AbortSignal,
  { firstMs, longestMs }: typeof PAUSES,
  pods: () => Promise<Found>,
): Promise<void> {
  for (let pause = firstMs; ; pause = Math.min(pause * 1.5, longestMs)) {
    // The program may end while this timer runs.
    await delay(pause, undefined, { ref: false, signal: over }).catch(() => {});
    if (over.aborted) return;
    const found = await pods();
    const lingering = "objects" in found ? lingeringContainers(found.objects) : [];
    if (lingering.length === 0) continue;
    console.warn(lingeringText(name, step, lingering));
    return;
  }
}

/** Returns the message about containers that keep a Job from ending. */
export function lingeringText(name: string, step: JobStep, containers: readonly string[]): string {
  const state = ["preflight", "dump", "branch"].includes(step)
    ? "Nothing was changed."
    : "What it applied stays applied.";
  return (
    `Job ${name} can't end: its migrator has ended, and ${containers.join(", ")} goes on in the same pod, put there by a mesh or another webhook.\n` +
    `${state} The release would wait until migrations.deadline and then fail.\n` +
    "Next: press Ctrl-C once (in CI: cancel); keep that container out of the Jobs' pods (migrations.mesh, or an annotation in migrations.pod), or have it added as a native sidecar; then run the same `up` again."
  );
}
