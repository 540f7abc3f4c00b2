import * as pulumi from "@pulumi/pulumi";
import type { PackedHistory } from "../review/packed-history";
import type { Settings } from "../settings/schema";
import { appManifests } from "./app-manifests";
import { type FieldConflict, fieldConflicts, isPulumi, type Json, type ManagedFields } from "./field-conflicts";
import type { ReportReader } from "./job-reports";
import { type LiveObject, liveObjects } from "./live-objects";
import { MANIFEST_ANNOTATION, type Manifest, manifestHash } from "./manifest";
import { ReleaseError } from "./release-error";
import { releaseIdOf } from "./release-id";
import { workloadManifest } from "./workloads";

/**
 * This error reports that somebody else owns what the rollout would change. It is thrown before anything is changed.
 */
export class RolloutRefused extends ReleaseError {
  override readonly name = "RolloutRefused";

  constructor(obstacles: Obstacle[]) {
    super(
      `The rollout of this release would fail, after the migration:\n${obstacles.map(({ what }) => what).join("\n")}\n` +
        "Nothing was touched: the database and the app are as they were.\n" +
        `Next: ${[...new Set(obstacles.map(({ next }) => next))].join("; ")}. Then run the same command again.`,
    );
  }
}

/** The reason why one object can't be rolled out, and the command that solves it. */
interface Obstacle {
  what: string;
  next: string;
}

/**
 * Checks whether the cluster will accept the objects of the rollout. A field that an autoscaler or a person has
 * changed, or an object that Pulumi did not make, would otherwise end the release after the migration. If the cluster
 * can't be reached, the function prints a warning and the release continues.
 *
 * @param opts The provider of the package `command`, which asks the cluster.
 * @throws {@link RolloutRefused} that names every obstacle
 */
export async function rolloutGate(
  settings: Settings,
  history: Pick<PackedHistory, "fingerprint">,
  reader: ReportReader,
  opts?: pulumi.InvokeOptions,
): Promise<void> {
  const wanted = rolloutManifests(settings, history);
  const resources = wanted.map(({ kind, metadata: { name } }) => `${RESOURCES[kind]}/${name}`);
  const found = await liveObjects(reader, settings.namespace, resources, opts);
  if ("unknown" in found) {
    void pulumi.log.warn(
      `It is unknown whether the cluster will accept the rollout: ${found.unknown}.\n` +
        "Nothing was touched yet, and the release goes on: what an autoscaler or a person has changed is found after the migration.\n" +
        `Next: see that this answers where \`up\` runs: kubectl get deployments -n ${settings.namespace}`,
    );
    return;
  }
  const obstacles = wanted.flatMap((manifest) => {
    const live = found.objects.find(
      ({ kind, metadata: { name } }) => kind === manifest.kind && name === manifest.metadata.name,
    );
    return live ? obstaclesOf(manifest, live, replicasKey(settings, manifest)) : [];
  });
  if (obstacles.length > 0) throw new RolloutRefused(obstacles);
}

/** kubectl's name of the resource for each kind, with its API group, which makes the name unambiguous. */
const RESOURCES: Record<string, string> = {
  Service: "services",
  Deployment: "deployments.apps",
  CronJob: "cronjobs.batch",
  PodDisruptionBudget: "poddisruptionbudgets.policy",
};

/** Returns the manifests of all objects that are applied after the migration. */
export function rolloutManifests(settings: Settings, { fingerprint }: Pick<PackedHistory, "fingerprint">): Manifest[] {
  const { app, namespace, database, service, workloads, policy } = settings;
  const shared = { namespace, releaseId: releaseIdOf(settings, fingerprint), database: { settings: database } };
  const web = appManifests({ ...shared, settings: app, service, protect: policy.protect });
  return [
    web.service,
    web.deployment,
    ...(web.budget ? [web.budget] : []),
    ...workloads.map((each) => workloadManifest({ ...shared, app, settings: each })),
  ];
}

/** Returns the key of the setting that sets the number of a Deployment's pods. */
function replicasKey({ app, workloads }: Settings, { metadata: { name } }: Manifest): string {
  const index = workloads.findIndex((each) => `${app.name}-${each.name}` === name);
  return index < 0 ? "app.replicas" : `workloads[${index}].replicas`;
}

/**
 * Returns the reasons why applying `wanted` over `live` would fail. The list is empty if it would succeed, or if the
 * release doesn't change the object.
 */
function obstaclesOf(wanted: Manifest, live: LiveObject, replicas: string): Obstacle[] {
  const { annotations = {}, managedFields = [] } = live.metadata;
  const { kind, metadata } = wanted;
  if (annotations[MANIFEST_ANNOTATION] === manifestHash(wanted)) return [];
  const forced = metadata.annotations?.["pulumi.com/patchForce"] === "true";
  const conflicts = forced ? [] : fieldConflicts(wanted as unknown as Json, live, managedFields);
  const object = `${kind} ${metadata.name}`;
  const kubectl = (verb: string, more: string) =>
    `kubectl -n ${metadata.namespace} ${verb} ${RESOURCES[kind]} ${metadata.name}${more}`;

  if (!managedFields.some(isPulumi)) {
    // Pulumi can take over a Service with the same values. It can't take over an object with pods, because its pods
    // would then have the containers of both.
    if (kind === "Service" && conflicts.length === 0) return [];
    const makers = [...new Set(managedFields.map(({ manager }) => manager))].join(", ");
    return [
      {
        what: `  ${object} is there already, and Pulumi did not make it${makers ? ` (${makers} did)` : ""}.`,
        next: `to keep ${object}, set app.name to a name that is free; to have it replaced, ${kubectl("delete", "")}`,
      },
    ];
  }
  if (conflicts.length === 0) return [];
  const scaled = conflicts.find(({ path, live: count }) => path === ".spec.replicas" && typeof count === "number");
  const rest = conflicts.filter((each) => each !== scaled);
  return [
    ...(scaled
      ? [
          {
            what: line(object, scaled),
            // The settings allow no release with 0 pods, so the object must be scaled up instead.
            next: scaled.live
              ? `set ${replicas} to ${scaled.live}, as many as run now`
              : kubectl("scale", ` --replicas=${scaled.wanted}`),
          },
        ]
      : []),
    ...(rest.length > 0
      ? [
          {
            what: rest.map((each) => line(object, each)).join("\n"),
            next: `let the release set these again: ${kubectl("patch", ` --type=json --patch='${handBack(managedFields, rest)}'`)}`,
          },
        ]
      : []),
  ];
}

function line(object: string, { path, live, wanted, manager, subresource }: FieldConflict): string {
  // Only numbers, images and schedules are shown, because any other value may be a secret.
  const shown = (value: Json | undefined) =>
    typeof value === "number" || (typeof value === "string" && /\.(image|schedule)$/.test(path))
      ? String(value)
      : undefined;
  const values = shown(live) && shown(wanted) ? `: it is ${shown(live)}, and this release sets ${shown(wanted)}` : "";
  return `  ${object}: ${manager}${subresource ? ` (${subresource})` : ""} changed ${path.slice(1)}${values}.`;
}

/**
 * Returns a JSON patch that removes the other managers' entries in `managedFields` that conflict. It changes nothing
 * else, and first tests that the entries are still at the same index.
 */
function handBack(managedFields: readonly ManagedFields[], conflicts: readonly FieldConflict[]): string {
  const operations = managedFields.flatMap(({ manager, subresource }, index) => {
    const concerned = conflicts.some((each) => each.manager === manager && each.subresource === subresource);
    const path = `/metadata/managedFields/${index}`;
    return concerned
      ? [
          [
            { op: "test", path: `${path}/manager`, value: manager },
            { op: "remove", path },
          ],
        ]
      : [];
  });
  // The patch is put between single quotes of a shell, so its own are escaped.
  return JSON.stringify(operations.reverse().flat()).replaceAll("'", "'\\''");
}
