import { itemsOf, type Job } from "../by-hand/cluster-objects";
import { CommandFailure, EXIT } from "../by-hand/failure";
import { subjectSelector } from "../by-hand/job-by-hand";
import type { Kubectl } from "../by-hand/kubectl";
import { removeJob } from "../by-hand/other-jobs";
import { removeSecrets } from "../restore/switch/secrets";
import type { ListedCopy, RestoreTarget, Say } from "../restore/target";
import { copyName, rehearsalSecretName, SUBJECT } from "./stack";

/** Returns the copy that a rehearsal has made; undefined if there is none. */
async function foundCopy(target: RestoreTarget): Promise<ListedCopy | undefined> {
  const found = (await target.list()).find(({ name }) => name === copyName(target));
  if (!found || found.expires) return found;
  throw new CommandFailure(
    EXIT.usage,
    `There is a database ${found.name}, and it was made by a restore and not by a rehearsal.`,
    "production is untouched; nothing was removed.",
    `remove it by hand, or restore to another name, then the same command again`,
  );
}

/**
 * Removes the copy, and waits until it is gone.
 * @throws CommandFailure if it is there still
 */
export async function removeRehearsalCopy(target: RestoreTarget, say: Say): Promise<void> {
  const found = await foundCopy(target);
  if (!found) return;
  await target.remove(found.name, true, say);
  if (await foundCopy(target))
    throw new CommandFailure(
      EXIT.failed,
      `${found.name} was deleted, and is there still.`,
      "production is untouched.",
      "the same command again",
    );
}

/** Removes the Jobs of rehearsals that were killed, and their Secrets. Both are found by their labels. */
export async function removeClusterObjects(kubectl: Kubectl, app: string, say: Say): Promise<void> {
  const text = await kubectl.run(["get", "jobs", `--selector=${subjectSelector(app, SUBJECT)}`, "--output=json"]);
  for (const { metadata } of itemsOf<Job>(text)) {
    await removeJob(kubectl, metadata.name);
    say(`Removed Job ${metadata.name}, which an earlier rehearsal has left.`);
  }
  const secret = rehearsalSecretName(app);
  await removeSecrets(kubectl, [secret, `${secret}-migration`]);
}
