import { type FieldConflict, fieldConflicts, type Json } from "./field-conflicts";
import type { LiveObject } from "./live-objects";
import { TAKEN_BACK_ANNOTATION } from "./live-rollout";
import { MANIFEST_ANNOTATION, type Manifest, manifestHash } from "./manifest";
import { RELEASE_ANNOTATION } from "./pods";

const REPLICAS = ".spec.replicas";

/** What others have changed of one object of the rollout, among the fields that the release sets. */
export interface Interventions {
  /** The changes that the rollout undoes. */
  takenBack: FieldConflict[];
  /** The number of pods that somebody has raised, which the rollout keeps. */
  keptReplicas?: FieldConflict | undefined;
}

/**
 * Finds what others have changed of an object that Pulumi made.
 *
 * @param keepsReplicas whether the rollout leaves the number of pods as it is in the cluster
 */
export function interventionsIn(wanted: Manifest, live: LiveObject, keepsReplicas: boolean): Interventions {
  // `kubectl rollout undo` puts back the annotations of the older release together with its pods.
  const annotations = { ...wanted.metadata.annotations, [MANIFEST_ANNOTATION]: manifestHash(wanted) };
  const applied = { ...wanted, metadata: { ...wanted.metadata, annotations } };
  const conflicts = fieldConflicts(applied as unknown as Json, live, live.metadata.managedFields ?? []);
  const ofReplicas = conflicts.find(({ path }) => path === REPLICAS);
  const takenBack = keepsReplicas ? conflicts.filter((each) => each !== ofReplicas) : conflicts;
  return { takenBack, keptReplicas: keepsReplicas ? ofReplicas : undefined };
}

/**
 * Returns the value of the annotation that makes Pulumi apply an object again, although its settings are unchanged: the
 * time of the newest change that is taken back. An object that nobody has changed keeps the value that it has.
 *
 * Kubernetes records no time for a change of the number of pods through the subresource `scale` (seen on 1.34). The
 * object's generation, which every change of its specification raises, stands in its place.
 *
 * An autoscaler that lowered the number of pods below the settings' would lower it again after every `up`, so that
 * change alone makes no `up` apply the object.
 */
export function takenBackAt({ takenBack }: Interventions, live: LiveObject): string | undefined {
  const byPersons = takenBack.filter(({ path, manager }) => path !== REPLICAS || isKubectl(manager));
  if (byPersons.length === 0) return live.metadata.annotations?.[TAKEN_BACK_ANNOTATION];
  return byPersons
    .map(({ time = `generation ${live.metadata.generation}` }) => time)
    .sort()
    .at(-1);
}

/** Whether the field manager is kubectl, which stands for a person: `kubectl`, `kubectl-set`, `kubectl-rollout`, … */
export function isKubectl(manager: string): boolean {
  return manager.startsWith("kubectl");
}

/** Returns one line for each change that a person can make sense of. */
export function interventionLines(object: string, conflicts: readonly FieldConflict[]): string[] {
  const own = [MANIFEST_ANNOTATION, TAKEN_BACK_ANNOTATION, RELEASE_ANNOTATION];
  const telling = conflicts.filter(({ path }) => !own.some((name) => path.endsWith(`.annotations.${name}`)));
  return (telling.length > 0 ? telling : conflicts).map((each) => `  ${object}: ${sentence(each)}.`);
}

function sentence({ path, live, wanted, manager, subresource, time }: FieldConflict): string {
  // Only numbers, images and schedules are shown, because any other value may be a secret.
  const shown = (value: Json | undefined) =>
    typeof value === "number" || (typeof value === "string" && /\.(image|schedule)$/.test(path))
      ? String(value)
      : undefined;
  const who = [subresource ? `(${subresource})` : "", time ? `at ${time}` : ""].filter(Boolean).join(" ");
  const values = shown(live) && shown(wanted) ? `: it is ${shown(live)}, and this release sets ${shown(wanted)}` : "";
  return `${manager}${who ? ` ${who}` : ""} changed ${path.slice(1)}${values}`;
}
