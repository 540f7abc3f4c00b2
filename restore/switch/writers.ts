import { setTimeout as pause } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { itemsOf, type Pod } from "../../by-hand/cluster-objects";
import { CommandFailure, EXIT } from "../../by-hand/failure";
import type { Kubectl } from "../../by-hand/kubectl";
import { databaseEnvironment } from "../../components/database-environment";
import type { DatabaseSettings, Settings } from "../../settings/schema";
import { counted } from "../../text/counted";
import { formatDuration } from "../../text/short-duration";
import type { StoppedWriter } from "./record";

/** A part of the app that writes to the database. */
export interface Writer {
  readonly kind: "Deployment" | "CronJob";
  readonly name: string;
  /** The component by which its pods are labelled. */
  readonly component: string;
}

/** A part of the app as it is in the cluster. */
export interface SeenWriter extends Writer {
  /** The number of pods of a Deployment. */
  readonly replicas: number;
  /** Whether a CronJob is suspended. */
  readonly suspended: boolean;
  /** Whether its pods use the copy of the database. */
  readonly atCopy: boolean;
}

/** The time between two looks at the pods, in milliseconds. */
const LOOK_MS = 500;

const RESOURCES: Record<Writer["kind"], string> = { Deployment: "deployments.apps", CronJob: "cronjobs.batch" };

/** Returns the parts of the app that the settings name. */
export function writersOf({ app, workloads }: Pick<Settings, "app" | "workloads">): Writer[] {
  return [
    { kind: "Deployment", name: app.name, component: "app" },
    ...workloads.map(({ kind, name }): Writer => {
      const object = kind === "worker" ? "Deployment" : "CronJob";
      return { kind: object, name: `${app.name}-${name}`, component: name };
    }),
  ];
}

/** Returns how the record names a part of the app. */
function writerKey({ kind, name }: Writer): string {
  return `${kind}/${name}`;
}

interface Container {
  readonly env?: readonly { readonly name: string }[];
}
interface Template {
  readonly spec?: { readonly containers?: readonly Container[] };
}
interface LiveWriter {
  readonly spec?: {
    readonly replicas?: number;
    readonly suspend?: boolean;
    readonly template?: Template;
    readonly jobTemplate?: { readonly spec?: { readonly template?: Template } };
  };
}

/**
 * Looks at the parts of the app in the cluster. Those that don't exist are left out.
 * @param atCopy the settings of the database with which a part of the app uses the copy
 */
export async function seeWriters(
  kubectl: Kubectl,
  writers: readonly Writer[],
  atCopy: DatabaseSettings,
): Promise<SeenWriter[]> {
  const seen: SeenWriter[] = [];
  for (const writer of writers) {
    const words = ["get", `${RESOURCES[writer.kind]}/${writer.name}`, "--ignore-not-found", "--output=json"];
    const text = await kubectl.run(words);
    if (text.trim() === "") continue;
    const { spec = {} } = JSON.parse(text) as LiveWriter;
    const template = spec.template ?? spec.jobTemplate?.spec?.template;
    seen.push({
      ...writer,
      replicas: spec.replicas ?? 1,
      suspended: spec.suspend ?? false,
      atCopy: usesDatabase(template, atCopy),
    });
  }
  return seen;
}

/** Whether the pods of a template find their connection as these settings say. */
function usesDatabase(template: Template | undefined, database: DatabaseSettings): boolean {
  const wanted = databaseEnvironment({ settings: database }, "app").env;
  return (template?.spec?.containers ?? []).some(({ env = [] }) =>
    wanted.every((variable) => env.some((each) => isDeepStrictEqual(each, variable))),
  );
}

/** Returns what has to be remembered of the parts that are stopped, beside what is remembered already. */
export function remembered(
  seen: readonly SeenWriter[],
  before: Readonly<Record<string, StoppedWriter>>,
): Record<string, StoppedWriter> {
  const fresh = seen.map((each) => [
    writerKey(each),
    each.kind === "Deployment" ? { replicas: each.replicas } : { suspended: each.suspended },
  ]);
  return { ...Object.fromEntries(fresh), ...before };
}

/** Returns how a line names a part of the app, with its pods. */
export function writerText({ kind, name, replicas, suspended }: SeenWriter): string {
  const state = kind === "Deployment" ? counted(replicas, "pod") : suspended ? "suspended" : "scheduled";
  return `${kind} ${name} (${state})`;
}

/** Takes the pods of Deployments away, and suspends CronJobs. It doesn't wait. */
export async function stopWriters(kubectl: Kubectl, seen: readonly SeenWriter[]): Promise<void> {
  for (const writer of seen) {
    if (writer.kind === "Deployment" && writer.replicas > 0) await patch(kubectl, writer, { replicas: 0 });
    if (writer.kind === "CronJob" && !writer.suspended) await patch(kubectl, writer, { suspend: true });
  }
}

/**
 * Waits until no pod of stopped parts is left.
 * @throws CommandFailure if one still runs after the time-out, or `stop` was aborted
 */
export async function podsGone(
  kubectl: Kubectl,
  app: string,
  writers: readonly Writer[],
  { timeout, stop, back }: { timeout: number; stop: AbortSignal; back: string },
): Promise<void> {
  const components = new Set(writers.map(({ component }) => component));
  const end = Date.now() + timeout;
  for (;;) {
    const pods = itemsOf<Pod>(
      await kubectl.run(["get", "pods", `--selector=app.kubernetes.io/name=${app}`, "--output=json"]),
    ).filter(
      ({ metadata, status }) =>
        components.has(metadata.labels?.["app.kubernetes.io/component"] ?? "") &&
        !["Succeeded", "Failed"].includes(status?.phase ?? ""),
    );
    if (pods.length === 0) return;
    if (!stop.aborted && Date.now() < end) await pause(LOOK_MS, undefined, { signal: stop }).catch(() => undefined);
    else {
      const names = pods.map(({ metadata }) => metadata.name).join(", ");
      throw new CommandFailure(
        stop.aborted ? 130 : EXIT.failed,
        stop.aborted
          ? "Interrupted while the pods were ending."
          : `${counted(pods.length, "pod")} of the app still ${pods.length === 1 ? "runs" : "run"} after ${formatDuration(timeout)}: ${names}.`,
        "nothing was moved yet; the app is scaled to 0.",
        `the same command again goes on; to bring the app back: ${back}`,
      );
    }
  }
}

/**
 * Gives the parts of the app that were stopped their pods again, where a release hasn't done it: pods whose number is
 * left to an autoscaler outside of the release, and CronJobs.
 */
export async function resumeWriters(
  kubectl: Kubectl,
  seen: readonly SeenWriter[],
  stopped: Readonly<Record<string, StoppedWriter>>,
): Promise<void> {
  for (const writer of seen) {
    const { replicas = 0, suspended } = stopped[writerKey(writer)] ?? {};
    if (writer.kind === "Deployment" && writer.replicas === 0 && replicas > 0)
      await patch(kubectl, writer, { replicas });
    if (writer.kind === "CronJob" && writer.suspended && suspended === false)
      await patch(kubectl, writer, { suspend: false });
  }
}

async function patch(kubectl: Kubectl, { kind, name }: Writer, spec: object): Promise<void> {
  const words = ["patch", `${RESOURCES[kind]}/${name}`, "--type=merge", `--patch=${JSON.stringify({ spec })}`];
  await kubectl.run(words);
}
