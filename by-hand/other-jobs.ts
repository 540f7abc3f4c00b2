import { ended, itemsOf, type Job } from "./cluster-objects";
import { CommandFailure, EXIT } from "./failure";
import { COMPONENT, type JobByHand, mapNames, sameSubject } from "./job-by-hand";
import type { Kubectl } from "./kubectl";

/** The components of a release that change the database, or are about to. */
const RELEASE_COMPONENTS = ["preflight", "dump", "branch", "migrate", "contract"];

/** The time for which an ended Job of `ops` is left to the command that runs it, in milliseconds. */
const OWN_TIME_MS = 120_000;

/**
 * Looks at the other Jobs of the app: removes those of an earlier `ops` that was killed, names those that still run, and
 * refuses to change a database that a release is changing.
 * @param changes true if the verb changes the database
 * @throws CommandFailure if it does and a Job of a release is running
 */
export async function seeOtherJobs(
  kubectl: Kubectl,
  { app, changes }: { app: string; changes: boolean },
  say: (line: string) => void,
): Promise<void> {
  const jobs = itemsOf<Job>(
    await kubectl.run(["get", "jobs", `--selector=app.kubernetes.io/name=${app}`, "--output=json"]),
  );
  const of = (components: readonly string[]) =>
    jobs.filter(({ metadata }) => components.includes(metadata.labels?.["app.kubernetes.io/component"] ?? ""));
  const release = of(RELEASE_COMPONENTS).find((job) => !ended(job) && !job.metadata.deletionTimestamp);
  if (release && changes) {
    const { name } = release.metadata;
    throw new CommandFailure(
      EXIT.busy,
      `A release is running: Job ${name} has not ended.`,
      "this command changed nothing; the release may be changing it now.",
      `wait until \`pulumi up\` has ended (${kubectl.typed(`get job ${name}`)}), then the same command again`,
    );
  }
  if (release) say(`A release is running: Job ${release.metadata.name} has not ended.`);
  for (const job of of([COMPONENT])) await seeOwn(kubectl, job, say);
}

async function seeOwn(kubectl: Kubectl, job: Job, say: (line: string) => void): Promise<void> {
  const { name, creationTimestamp } = job.metadata;
  if (job.metadata.deletionTimestamp) return;
  const end = ended(job);
  if (!end) {
    say(
      `Job ${name} of another \`ops\` runs since ${creationTimestamp}. If nobody waits for it: ${kubectl.typed(`delete job ${name}`)}`,
    );
    return;
  }
  if (Date.now() - Date.parse(end.lastTransitionTime ?? "") < OWN_TIME_MS) return;
  await removeJob(kubectl, name);
  say(`Removed Job ${name}, which an earlier \`ops\` left (${end.type}).`);
}

/** Removes the Jobs that an earlier run of the same command has left for the same subject, because it was killed. */
export async function removeEarlier(kubectl: Kubectl, run: JobByHand, say: (line: string) => void): Promise<void> {
  const text = await kubectl.run(["get", "jobs", `--selector=${sameSubject(run)}`, "--output=json"]);
  for (const { metadata } of itemsOf<Job>(text)) {
    await removeJob(kubectl, metadata.name, mapNames({ ...run, name: metadata.name }));
    say(`Removed Job ${metadata.name}, which an earlier run left.`);
  }
}

/** Deletes a Job. Its pod ends within its grace period; its ConfigMaps and Secrets belong to it and go with it. */
export async function removeJob(
  kubectl: Kubectl,
  name: string,
  maps: readonly string[] = [],
  secrets: readonly string[] = [],
): Promise<void> {
  const how = ["--ignore-not-found", "--wait=false"];
  if (secrets.length > 0) await kubectl.run(["delete", "secrets", ...secrets, ...how]);
  await kubectl.run(["delete", "jobs", name, "--cascade=background", ...how]);
  if (maps.length > 0) await kubectl.run(["delete", "configmaps", ...maps, ...how]);
}
