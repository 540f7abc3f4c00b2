import { randomBytes } from "node:crypto";
import { bundlePrune } from "../../backup/bundle";
import { CLAIM_FOLDER } from "../../backup/pod-folder";
import { CommandFailure, EXIT } from "../../by-hand/failure";
import { COMPONENT, KEPT_SECONDS, VERB_LABEL } from "../../by-hand/job-by-hand";
import { type JobObjects, runJobObjects } from "../../by-hand/run-job";
import { neonKey } from "../../components/branch-job-manifest";
import { storeCredentials } from "../../components/dump-pod";
import { literal } from "../../components/literal";
import { labels } from "../../components/pods";
import { PRUNE_PROGRAM, pruneJobManifest } from "../../components/prune-job-manifest";
import { printable } from "../../text/printable";
import { PrunedLog } from "./pruned-log";
import type { PrunedPlace, PruneRun } from "./pruner";

/** A place of backups whose keys are in the cluster, so that a Job there removes the old ones. */
interface ClusterPlace {
  /** The kind of backups, in messages: "dumps" or "branches". */
  readonly what: string;
  readonly title: string;
  /** The options of the program that say where they are. None of them is a secret. */
  readonly options: readonly [flag: string, value: string | undefined][];
  readonly env: Parameters<typeof pruneJobManifest>[0]["env"];
  readonly claim?: string | undefined;
}

/** Removes old dumps. The keys of the store are in a Secret, or they are the pod's own identity. */
export async function pruneDumps(run: PruneRun): Promise<PrunedPlace[]> {
  const { dump } = run.stack.settings.backup;
  if (!dump) return [];
  const { to, claim, endpoint, region } = dump;
  return pruneInCluster(run, {
    what: "dumps",
    title: `Dumps in ${to ?? `pvc://${claim}`}`,
    options: [
      ["--to", to],
      ["--claim", claim],
      ["--claim-folder", claim && CLAIM_FOLDER],
      ["--endpoint", endpoint],
      ["--region", region],
    ],
    env: storeCredentials(dump),
    claim,
  });
}

/** Removes old branches of Neon, whose API key is in a Secret. */
export async function pruneBranches(run: PruneRun): Promise<PrunedPlace[]> {
  const { branch } = run.stack.settings.backup;
  if (!branch) return [];
  return pruneInCluster(run, {
    what: "branches",
    title: `Branches in Neon's project ${branch.project}`,
    options: [
      ["--neon-project", branch.project],
      ["--endpoint", branch.endpoint],
    ],
    env: [neonKey(branch)],
  });
}

/** Removes old backups by a Job. What goes is chosen there too, by what the store says of each. */
async function pruneInCluster(run: PruneRun, at: ClusterPlace): Promise<PrunedPlace[]> {
  const { kubectl, stop, say } = run;
  const job = jobOf(run, at);
  const log = new PrunedLog((line) => say(`  ${printable(line)}`));
  say(`Job ${job.name}: ${run.plan ? "looks at" : "removes"} old ${at.what}`);
  const status = await runJobObjects(kubectl, job, stop, { log: (line) => log.read(line), say });
  const place = { title: at.title, ...log.found, warnings: [] };
  if (log.failure)
    throw new CommandFailure(
      EXIT.failed,
      log.failure.what,
      removed(log.found.gone.length),
      log.failure.next.replace("the same command again", run.rerun),
    );
  if (status !== 0 && place.notRemoved.length === 0 && !stop.aborted)
    throw new CommandFailure(
      EXIT.cluster,
      `Job ${job.name} ended with status ${status}, and without saying why.`,
      removed(log.found.gone.length),
      run.rerun,
    );
  return [place];
}

function removed(count: number): string {
  return `untouched; ${count === 0 ? "no backup was removed" : `${count} of the old backups were removed`}, and none is half removed for good.`;
}

function jobOf(run: PruneRun, { options, env, claim }: ClusterPlace): JobObjects {
  const { namespace, app, migrations } = run.stack.settings;
  const name = `${app.name}-ops-prune-${randomBytes(3).toString("hex")}`;
  const file = `${name}-program`;
  const { metadata, spec } = pruneJobManifest({
    ...{ name, namespace, app: app.name, component: COMPONENT, settings: migrations, env, claim, file },
    arguments: programArguments(run, options),
    deadline: migrations.deadline,
  });
  return {
    name,
    job: {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { ...metadata, labels: { ...labels(app.name, COMPONENT), [VERB_LABEL]: "prune" } },
      spec: { ...spec, ttlSecondsAfterFinished: KEPT_SECONDS },
    },
    belongings: (uid) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        ...{ name: file, namespace, labels: labels(app.name, COMPONENT) },
        ownerReferences: [{ apiVersion: "batch/v1", kind: "Job", name, uid }],
      },
      immutable: true,
      data: { [PRUNE_PROGRAM]: bundlePrune() },
    }),
    maps: [file],
    whenStopped: "the backup that is being removed is removed whole, and no other one",
  };
}

function programArguments({ stack, retention, plan }: PruneRun, place: ClusterPlace["options"]): string[] {
  const { keep, named, maxAgeMs } = retention;
  const options: [flag: string, value: string | number | undefined][] = [
    ...place.map(([flag, value]): [string, string | undefined] => [flag, value]),
    ["--project", stack.project],
    ["--stack", stack.name],
    ["--app", stack.settings.app.name],
    ["--keep-last", keep?.last],
    ["--keep-days", keep?.days],
    ["--max-age-seconds", maxAgeMs / 1000],
    ["--named", JSON.stringify(Object.fromEntries(named))],
  ];
  const given = options.flatMap(([flag, value]) => (value === undefined ? [] : [flag, literal(String(value))]));
  return [...given, ...(plan ? ["--plan"] : [])];
}
