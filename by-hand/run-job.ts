import { setTimeout as pause } from "node:timers/promises";
import type { Job } from "./cluster-objects";
import { CommandFailure, EXIT } from "./failure";
import { configMapsByHand, type JobByHand, jobByHand, mapNames } from "./job-by-hand";
import type { Kubectl } from "./kubectl";
import { LogStream } from "./log";
import { removeJob } from "./other-jobs";
import { type ContainerEnd, containerEnd, startedPod } from "./pod";

/** The time between two looks for the end of the container, in milliseconds. */
const LOOK_MS = 300;

/** Where the command writes: the Job's log, and its own lines. */
export interface Output {
  log(line: string): void;
  say(line: string): void;
}

/** A Job that a command runs by hand, and the objects that belong to it. */
export interface JobObjects {
  readonly name: string;
  /** The Job's manifest. */
  readonly job: object;
  /**
   * Returns the objects without which the Job's pod doesn't start. Default: it needs none.
   * @param uid the Job's uid, so that they belong to it
   */
  belongings?(uid: string): object;
  /** The names of those of them that are ConfigMaps, and of those that are Secrets. */
  readonly maps: readonly string[];
  readonly secrets?: readonly string[];
  /** What the pod does when its Job is deleted, as the end of a sentence. */
  readonly whenStopped: string;
}

/**
 * Runs a Job of the migrator: creates it, passes on its log, and removes it with its ConfigMaps, whatever happens.
 * @param stop is aborted by Ctrl-C. The Job is then deleted: the migrator cancels its statement and rolls back, and its
 *   last lines are still passed on.
 * @returns the verb's exit status
 * @throws CommandFailure if the Job can't be created or run, or its end can't be told
 */
export async function runJob(kubectl: Kubectl, run: JobByHand, stop: AbortSignal, output: Output): Promise<number> {
  const objects: JobObjects = {
    name: run.name,
    job: jobByHand(run),
    belongings: (uid) => configMapsByHand(run, uid),
    maps: mapNames(run),
    whenStopped: "the migrator cancels what it does and rolls back",
  };
  return runJobObjects(kubectl, objects, stop, output);
}

/** Runs a Job of any program in the same way as {@link runJob}. */
export async function runJobObjects(
  kubectl: Kubectl,
  run: JobObjects,
  stop: AbortSignal,
  output: Output,
): Promise<number> {
  const { name, maps, secrets } = run;
  let removal: Promise<void> | undefined;
  const remove = () => {
    removal ??= removeJob(kubectl, name, maps, secrets);
    return removal;
  };
  const stopped = () => {
    output.say(`Stopping: Job ${name} is deleted; ${run.whenStopped}.`);
    // A failure is reported by the removal that is awaited below.
    remove().catch(() => undefined);
  };
  stop.addEventListener("abort", stopped, { once: true });
  try {
    const end = await untilEnd(kubectl, run, stop, output);
    return statusOf(kubectl, name, end, stop);
  } finally {
    stop.removeEventListener("abort", stopped);
    await remove().catch((error: Error) => {
      output.say(`Job ${name} could not be removed (${error.message}).`);
      output.say(
        `It ends by its own deadline, and an hour later Kubernetes removes it. By hand: ${kubectl.typed(`delete job ${name}`)}`,
      );
    });
  }
}

async function untilEnd(
  kubectl: Kubectl,
  run: JobObjects,
  stop: AbortSignal,
  output: Output,
): Promise<ContainerEnd | undefined> {
  const { name } = run;
  const created = await kubectl.run(["create", "--filename=-", "--output=json"], JSON.stringify(run.job));
  if (stop.aborted) return undefined;
  // The Job comes first, because the other objects belong to it. Its pod waits for them.
  const { uid = "" } = (JSON.parse(created) as Job).metadata;
  if (run.belongings) await kubectl.run(["create", "--filename=-"], JSON.stringify(run.belongings(uid)));
  const pod = await startedPod(kubectl, name, stop, output.say);
  if (pod === undefined) return undefined;
  const stream = new LogStream(kubectl, pod, output.log);
  for (;;) {
    await stream.follow();
    const end = await containerEnd(kubectl, name);
    if (end) return end;
    await pause(LOOK_MS);
  }
}

/** @throws CommandFailure if the container did not end by itself */
function statusOf(kubectl: Kubectl, job: string, end: ContainerEnd | undefined, stop: AbortSignal): number {
  if (stop.aborted) return stop.reason === "SIGTERM" ? 143 : stop.reason === "SIGHUP" ? 129 : 130;
  if (end?.status !== undefined && end.reason === undefined) return end.status;
  throw new CommandFailure(
    EXIT.cluster,
    `The pod of Job ${job} was ended from outside: ${end?.reason ?? "no reason is known"}.`,
    "the log above says what was done; what was not committed is rolled back by the server.",
    `the same command again; if it is ended again, see ${kubectl.typed("get events")}`,
  );
}
