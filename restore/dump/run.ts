import type { Job } from "../../by-hand/cluster-objects";
import { itemsOf } from "../../by-hand/cluster-objects";
import { CommandFailure, EXIT } from "../../by-hand/failure";
import { ownSelector } from "../../by-hand/job-by-hand";
import { eventOf } from "../../by-hand/job-event";
import { Kubectl } from "../../by-hand/kubectl";
import { removeJob, seeOtherJobs } from "../../by-hand/other-jobs";
import { runJobObjects } from "../../by-hand/run-job";
import { kubeconfigFile } from "../../report/reader/kubectl";
import type { Say } from "../target";
import { belongingsOf, type DumpJobArgs, dumpJob, JOB_LABELS } from "./job";

/** A line of the restoring program's log. */
interface ProgramEvent {
  readonly event: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** The events that the program logs for this command alone. */
const SILENT = new Set(["restore.look", "restore.differences", "failed"]);

/**
 * Runs the restoring program as a Job, and passes on what it says. Jobs of an earlier run for the same subject are
 * removed first, because their command was killed.
 * @returns the events of the program, by their names
 * @throws CommandFailure with the program's own message
 */
export async function runDumpJob(
  args: DumpJobArgs,
  stop: AbortSignal,
  say: Say,
): Promise<ReadonlyMap<string, ProgramEvent>> {
  const { stack, subject } = args;
  const { namespace, app } = stack.settings;
  const given = kubeconfigFile(stack.kubeconfig);
  try {
    const kubectl = new Kubectl({ namespace, context: stack.context, kubeconfig: given.path });
    await removeEarlier(kubectl, { app: app.name, verb: args.verb, subject }, say);
    await seeOtherJobs(kubectl, { app: app.name, changes: false }, say);
    const run = dumpJob(args);
    const events = new Map<string, ProgramEvent>();
    const log = (line: string) => {
      const event = programEventOf(line);
      if (event) events.set(event.event, event);
      if (!event) say(`  ${line}`);
      else if (!SILENT.has(event.event)) for (const each of event.message.split("\n")) say(`  ${each}`);
    };
    const status = await runJobObjects(kubectl, run, stop, { log, say });
    if (status === 0) return events;
    throw failureOf(status, events.get("failed"), kubectl.typed(`get events`));
  } finally {
    given.remove();
  }
}

async function removeEarlier(
  kubectl: Kubectl,
  { app, verb, subject }: Pick<DumpJobArgs, "verb" | "subject"> & { app: string },
  say: Say,
): Promise<void> {
  const text = await kubectl.run([
    "get",
    "jobs",
    `--selector=${ownSelector(app, JOB_LABELS[verb], subject)}`,
    "--output=json",
  ]);
  for (const { metadata } of itemsOf<Job>(text)) {
    const { maps, secrets } = belongingsOf(metadata.name);
    await removeJob(kubectl, metadata.name, maps, secrets);
    say(`Removed Job ${metadata.name}, which an earlier run left.`);
  }
}

/** The state of the databases after an end without a word. */
const UNFINISHED = "the source is untouched; what was restored is removed by the next run.";

/** Returns the program's own failure as this command's. */
function failureOf(status: number, event: ProgramEvent | undefined, events: string): CommandFailure {
  if (!event)
    return new CommandFailure(
      status,
      `The Job ended with ${status}, and said no more.`,
      UNFINISHED,
      `see ${events}, then the same command again`,
    );
  const text = (field: string) => (typeof event[field] === "string" ? event[field] : undefined);
  const detail = text("detail");
  const what = text("what") ?? event.message;
  return new CommandFailure(
    status === 130 || status === 143 ? status : EXIT.failed,
    `${what}${detail === undefined ? "" : `\n  ${detail.replaceAll("\n", "\n  ")}`}`,
    text("database") ?? UNFINISHED,
    text("next"),
  );
}

function programEventOf(line: string): ProgramEvent | undefined {
  const { event, message, ...more } = eventOf(line) ?? {};
  return typeof event === "string" && typeof message === "string" ? { ...more, event, message } : undefined;
}
