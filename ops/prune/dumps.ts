import { randomBytes } from "node:crypto";
import { bundlePrune } from "../../backup/bundle";
import { CLAIM_FOLDER } from "../../backup/pod-folder";
import { CommandFailure, EXIT } from "../../by-hand/failure";
import { COMPONENT, KEPT_SECONDS, VERB_LABEL } from "../../by-hand/job-by-hand";
import { type JobObjects, runJobObjects } from "../../by-hand/run-job";
import { literal } from "../../components/literal";
import { labels } from "../../components/pods";
import { PRUNE_PROGRAM, pruneJobManifest } from "../../components/prune-job-manifest";
import { printable } from "../../text/printable";
import { PrunedLog } from "./pruned-log";
import type { PrunedPlace, PruneRun } from "./pruner";

/**
 * Removes old dumps. A Job in the cluster does it, because the keys of the store are there: in a Secret, or as the
 * pod's own identity. What goes is chosen there too, by the manifests.
 */
export async function pruneDumps(run: PruneRun): Promise<PrunedPlace[]> {
  const { stack, kubectl, stop, say } = run;
  const { dump } = stack.settings.backup;
  if (!dump) return [];
  const job = jobOf(run, dump);
  const log = new PrunedLog((line) => say(`  ${printable(line)}`));
  say(`Job ${job.name}: ${run.plan ? "looks at" : "removes"} old dumps in ${dump.to ?? `the volume ${dump.claim}`}`);
  const status = await runJobObjects(kubectl, job, stop, { log: (line) => log.read(line), say });
  const place = { title: `Dumps in ${dump.to ?? `pvc://${dump.claim}`}`, ...log.found, warnings: [] };
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
  return `untouched; ${count === 0 ? "no dump was removed" : `${count} of the old dumps were removed`}, and none is half removed for good.`;
}

type Dump = NonNullable<PruneRun["stack"]["settings"]["backup"]["dump"]>;

function jobOf(run: PruneRun, dump: Dump): JobObjects {
  const { namespace, app, migrations } = run.stack.settings;
  const name = `${app.name}-ops-prune-${randomBytes(3).toString("hex")}`;
  const file = `${name}-program`;
  const { metadata, spec } = pruneJobManifest({
    ...{ name, namespace, app: app.name, component: COMPONENT, settings: migrations, dump, file },
    arguments: programArguments(run, dump),
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
    whenStopped: "the dump that is being removed is removed whole, and no other one",
  };
}

function programArguments({ stack, retention, plan }: PruneRun, dump: Dump): string[] {
  const { keep, named, maxAgeMs } = retention;
  const options: [flag: string, value: string | number | undefined][] = [
    ["--to", dump.to],
    ["--claim", dump.claim],
    ["--claim-folder", dump.claim && CLAIM_FOLDER],
    ["--endpoint", dump.endpoint],
    ["--region", dump.region],
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
