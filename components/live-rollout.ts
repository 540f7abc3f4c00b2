import * as pulumi from "@pulumi/pulumi";
import { MANIFEST_ANNOTATION, type Manifest, stamped } from "./manifest";
import { initialReplicas, type LiveReplicas, type PodNumber, type PodOwner, replicasPlan } from "./replicas";

/** What the rollout gate found in the cluster of one object of the rollout. */
export interface LivePart {
  /** The number of pods; undefined for anything but a Deployment. */
  replicas?: LiveReplicas | undefined;
  /** Whether another tool made the object and the release takes it over. Default: false. */
  foreign?: boolean | undefined;
  /** The value of {@link TAKEN_BACK_ANNOTATION} that the object gets; undefined for none. */
  takenBack?: string | undefined;
}

/** The objects of the rollout that exist, by `<kind>/<name>`, as the rollout gate found them. */
export type LiveRollout = ReadonlyMap<string, LivePart>;

/**
 * The name of the annotation that tells the last change by somebody else that a release took back, by its time. When
 * the settings are unchanged, it is what makes Pulumi apply the object again: Pulumi compares the settings with its
 * state, not with the cluster.
 */
export const TAKEN_BACK_ANNOTATION = "release/taken-back";

/** Returns the key of an object in a {@link LiveRollout}. */
export function livePartKey({ kind, metadata: { name } }: Pick<Manifest, "kind" | "metadata">): string {
  return `${kind}/${name}`;
}

/**
 * Returns the manifest as it is applied. With a look at the cluster the release takes back its own fields from whoever
 * has changed them since. Without one, a changed field stays a conflict, because nobody was told of it before.
 *
 * @param live undefined if the cluster was not asked or did not answer
 */
export function asApplied<M extends Manifest>(manifest: M, live: LiveRollout | undefined): M {
  const marked = stamped(manifest);
  if (!live) return marked;
  const { takenBack, foreign = false } = live.get(livePartKey(manifest)) ?? {};
  const annotations = {
    ...marked.metadata.annotations,
    "pulumi.com/patchForce": "true",
    ...(takenBack === undefined ? {} : { [TAKEN_BACK_ANNOTATION]: takenBack }),
    ...(foreign && pulumi.runtime.isDryRun() ? { [MANIFEST_ANNOTATION]: untold() } : {}),
  };
  return { ...marked, metadata: { ...marked.metadata, annotations } };
}

/**
 * Returns a text that is unknown. An object with an unknown value is previewed without the API server, which would refuse
 * the mixture of what two tools have set: only `up` hands the fields of the other tool over first.
 */
function untold(): pulumi.Output<string> {
  return pulumi.output(pulumi.unknown).apply(() => "");
}

/**
 * Returns a Deployment's manifest as it is applied, and the option that leaves the number of pods alone where the plan
 * says so. Pulumi's provider then reads the number from the cluster right before it applies the Deployment: it leaves
 * out a number that somebody else set, and sets its own again, because a field that no manager sets falls back to 1
 * (pulumi-kubernetes 4.34, provider/pkg/await/await.go, handleSSAIgnoreFields).
 */
export function deploymentAsApplied<M extends Manifest & { spec: { replicas?: number | undefined } }>(
  manifest: M,
  pods: PodNumber,
  owner: PodOwner,
  live: LiveRollout | undefined,
): { manifest: M; ignoreChanges: string[] } {
  const applied = asApplied(manifest, live);
  const found = live?.get(livePartKey(manifest));
  const plan = replicasPlan(pods, owner, found?.replicas);
  if ("set" in plan) return { manifest: withReplicas(applied, plan.set), ignoreChanges: [] };
  // The number of an object that exists is left out: Pulumi's state may not have the object, and would then set the
  // number in spite of the option.
  const replicas = found ? undefined : initialReplicas(pods, owner);
  return { manifest: withReplicas(applied, replicas), ignoreChanges: ["spec.replicas"] };
}

function withReplicas<M extends Manifest & { spec: { replicas?: number | undefined } }>(
  manifest: M,
  replicas: number | undefined,
): M {
  const { replicas: _, ...spec } = manifest.spec;
  return { ...manifest, spec: { ...(replicas === undefined ? {} : { replicas }), ...spec } };
}
