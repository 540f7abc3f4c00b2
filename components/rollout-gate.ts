import * as pulumi from "@pulumi/pulumi";
import { checkProblem, readRestoreCheck, restoreCheckName } from "../report/restore-check";
import type { PackedHistory } from "../review/packed-history";
import type { Settings } from "../settings/schema";
import { commandLine } from "../text/command-line";
import { shellWord } from "../text/shell-word";
import { adopt, needsAdoption } from "./adoption/adopt";
import type { Obstacle } from "./adoption/obstacle";
import { RolloutRefused } from "./adoption/refused";
import { appManifests } from "./app-manifests";
import type { ReportReader } from "./job-reports";
import { type LiveObject, liveObjects } from "./live-objects";
import type { LiveRollout } from "./live-rollout";
import type { Manifest } from "./manifest";
import { releaseIdOf } from "./release-id";
import { resourceOf } from "./resource-names";
import { rolloutOver } from "./rollout-over";
import { schemaGateOf } from "./schema-gate";
import { workloadAutoscaler, workloadManifest } from "./workloads";

/** The options of {@link rolloutGate}. */
export interface RolloutGateOptions extends pulumi.InvokeOptions {
  /** The program of `app.schemaGate`, as one CommonJS file. It is required if that is true. */
  schemaGate?: string | undefined;
}

/**
 * Checks whether the cluster will accept the objects of the rollout, which would otherwise end the release after the
 * migration: an object that Pulumi did not make is refused, or with `app.adopt` taken over. It prints a warning that
 * lists what others have changed of the release's own objects, and who: the rollout takes that back, except for pods
 * that somebody has added. If the cluster can't be reached, the function prints a warning and the release continues.
 *
 * @param options The provider of the package `command`, which asks the cluster, and the program of the schema gate.
 * @returns what exists in the cluster, for the rollout; undefined if the cluster did not answer
 * @throws {@link RolloutRefused} that names every obstacle, and SchemaGateMissing
 */
export async function rolloutGate(
  settings: Settings,
  history: Pick<PackedHistory, "fingerprint" | "migrations">,
  reader: ReportReader,
  { schemaGate, ...opts }: RolloutGateOptions = {},
): Promise<LiveRollout | undefined> {
  const wanted = rolloutManifests(settings, history, schemaGate);
  const resources = [...wanted.map(resourceOf), `configmaps/${restoreCheckName(settings.app.name)}`];
  const found = await liveObjects(reader, settings.namespace, resources, opts);
  if ("unknown" in found) {
    if (settings.app.adopt) throw new RolloutRefused([unknownApp(found.unknown, settings.namespace)]);
    void pulumi.log.warn(
      `It is unknown whether the cluster will accept the rollout: ${found.unknown}.\n` +
        "Nothing was touched yet, and the release goes on: what an autoscaler or a person has changed is found after the migration.\n" +
        `Next: see that this answers where \`up\` runs: kubectl get deployments -n ${settings.namespace}`,
    );
    return undefined;
  }
  warnOfRestoreCheck(settings, found.objects);
  const pairs = wanted.flatMap((manifest) => {
    const live = found.objects.find(
      ({ kind, metadata: { name } }) => kind === manifest.kind && name === manifest.metadata.name,
    );
    return live ? [{ manifest, live }] : [];
  });
  const foreign = pairs.filter((each) => needsAdoption(each, settings.app.adopt));
  if (foreign.length > 0)
    await adopt(
      { settings, foreign, manifests: (other) => rolloutManifests(other, history, schemaGate) },
      reader,
      opts,
    );
  return rolloutOver(settings, pairs);
}

/** Warns if the last check that restored a backup failed, or is old. A stack that never made one isn't warned. */
function warnOfRestoreCheck({ app }: Settings, objects: readonly LiveObject[]): void {
  const name = restoreCheckName(app.name);
  const map = objects.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === name);
  const check = readRestoreCheck(map?.["data"]);
  const problem = check && checkProblem(check, new Date());
  if (problem === undefined) return;
  void pulumi.log.warn(
    `Restoring a backup: ${problem}.\n` +
      "Nothing was touched yet, and the release goes on; whether its backup could be restored is not known.\n" +
      `Next: ${commandLine("restore")} check --stack ${shellWord(pulumi.getStack())}`,
  );
}

/** Returns the manifests of all objects that are applied after the migration. */
export function rolloutManifests(
  settings: Settings,
  history: Pick<PackedHistory, "fingerprint" | "migrations">,
  schemaGate?: string,
): Manifest[] {
  const { app, namespace, database, service, workloads, policy } = settings;
  const gate = schemaGateOf(settings, history, schemaGate);
  const releaseId = releaseIdOf(settings, history.fingerprint);
  const shared = { namespace, releaseId, database: { settings: database }, gate };
  const web = appManifests({ ...shared, settings: app, service, protect: policy.protect });
  const others = workloads.map((each) => ({ ...shared, app, settings: each }));
  const optional = [web.budget, web.autoscaler, ...others.map(workloadAutoscaler)];
  return [web.service, web.deployment, ...optional.flatMap((each) => each ?? []), ...others.map(workloadManifest)];
}

function unknownApp(reason: string, namespace: string): Obstacle {
  return {
    what: `  It is unknown what the app that app.adopt takes over is like: ${reason}.`,
    next: `see that this answers where \`up\` runs: kubectl get deployments -n ${namespace}`,
  };
}
