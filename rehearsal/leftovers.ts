import { itemsOf, type Job } from "../by-hand/cluster-objects";
import { CommandFailure, EXIT } from "../by-hand/failure";
import { subjectSelector } from "../by-hand/job-by-hand";
import type { Kubectl } from "../by-hand/kubectl";
import { removeJob } from "../by-hand/other-jobs";
import { removeSecrets } from "../restore/switch/secrets";
import type { ListedCopy, RestoreTarget, Say } from "../restore/target";
import type { RehearsalRecord, RehearsalRecords } from "./record";
import { copyName, rehearsalSecretName, SUBJECT } from "./stack";

/** What rehearsals have left, or leave for people. */
export interface Leftovers {
  readonly record: RehearsalRecord | undefined;
  readonly copy: ListedCopy | undefined;
  /** Why they stay; undefined: they may go. */
  readonly because: string | undefined;
}

/** Finds what rehearsals have left, by reading alone. */
export async function findLeftovers(
  records: RehearsalRecords,
  target: RestoreTarget,
  now: Date,
  say: Say,
): Promise<Leftovers> {
  const record = await records.read();
  const copy = await foundCopy(target);
  return { record, copy, because: await whyItStays({ record, copy }, records, now, say) };
}

async function whyItStays(
  { record, copy }: Pick<Leftovers, "record" | "copy">,
  records: RehearsalRecords,
  now: Date,
  say: Say,
): Promise<string | undefined> {
  // The record of a copy that another cluster's rehearsal has made is not here.
  if (!record) return isFuture(copy?.expires, now) ? `it expires at ${copy?.expires?.toISOString()}` : undefined;
  if (record.keptUntil !== undefined)
    return isFuture(new Date(record.keptUntil), now) ? `people look at it until ${record.keptUntil}` : undefined;
  return (await records.isAtWork(say)) ? "a rehearsal is at work" : undefined;
}

function isFuture(at: Date | undefined, now: Date): boolean {
  return at !== undefined && at > now;
}

/**
 * Removes everything that rehearsals have made, and waits until the copy is gone.
 * @throws CommandFailure if it is there still
 */
export async function removeLeftovers(
  { kubectl, app, target }: { kubectl: Kubectl; app: string; target: RestoreTarget },
  say: Say,
): Promise<void> {
  await removeClusterObjects(kubectl, app, say);
  const found = await foundCopy(target);
  if (!found) return;
  await target.remove(found.name, true, say);
  if (!(await foundCopy(target))) return;
  throw new CommandFailure(
    EXIT.failed,
    `${found.name} was deleted, and is there still.`,
    "production is untouched.",
    "the same command again",
  );
}

/** Returns the copy that a rehearsal has made; undefined if there is none. */
async function foundCopy(target: RestoreTarget): Promise<ListedCopy | undefined> {
  const found = (await target.list()).find(({ name }) => name === copyName(target));
  if (!found || found.expires) return found;
  throw new CommandFailure(
    EXIT.usage,
    `There is a database ${found.name}, and it was made by a restore and not by a rehearsal.`,
    "production is untouched; nothing was removed.",
    "remove it by hand, or restore to another name, then the same command again",
  );
}

/** Removes the Jobs of rehearsals that were killed, and their Secrets. Both are found by their labels. */
async function removeClusterObjects(kubectl: Kubectl, app: string, say: Say): Promise<void> {
  const text = await kubectl.run(["get", "jobs", `--selector=${subjectSelector(app, SUBJECT)}`, "--output=json"]);
  for (const { metadata } of itemsOf<Job>(text)) {
    await removeJob(kubectl, metadata.name);
    say(`Removed Job ${metadata.name}, which a rehearsal has left.`);
  }
  const secret = rehearsalSecretName(app);
  await removeSecrets(kubectl, [secret, `${secret}-migration`]);
}
