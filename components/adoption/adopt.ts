import * as pulumi from "@pulumi/pulumi";
import { askCluster, type ClusterAccess } from "../ask-cluster";
import { fieldConflicts, type Json } from "../field-conflicts";
import { liveObjects } from "../live-objects";
import { resourceOf } from "../resource-names";
import { type AdoptionScene, adoptionPlan } from "./adoption";
import { FIELD_MANAGER } from "./field-manager";
import { isForeign } from "./foreign";
import { NEIGHBOURS } from "./neighbours";
import type { Pair } from "./obstacle";
import { RolloutRefused } from "./refused";

/**
 * Whether the object has to be adopted before the release may change it: another tool made it. A Service that has the
 * same values already is taken over as it is.
 */
export function needsAdoption({ manifest, live }: Pair, adopt: boolean): boolean {
  const same = () => fieldConflicts(manifest as unknown as Json, live, live.metadata.managedFields ?? []).length === 0;
  return isForeign(live) && (adopt || manifest.kind !== "Service" || !same());
}

/**
 * Takes over the objects that another tool made, or refuses to. A preview changes nothing; `up` hands the fields that
 * other tools have set over to the release, which changes only the record of who set what.
 *
 * @param opts The provider of the package `command`, which asks the cluster.
 * @throws {@link RolloutRefused} that names everything that is in the way, and the settings that solve it
 */
export async function adopt(
  scene: Omit<AdoptionScene, "neighbours">,
  access: ClusterAccess,
  opts?: pulumi.InvokeOptions,
): Promise<void> {
  const { namespace } = scene.settings;
  const around = await liveObjects(access, namespace, [NEIGHBOURS], opts);
  const neighbours = "objects" in around ? around.objects : undefined;
  const { obstacles, notes } = adoptionPlan({ ...scene, neighbours });
  if (obstacles.length > 0) throw new RolloutRefused(obstacles);
  for (const note of notes) void pulumi.log.warn(note);
  if (pulumi.runtime.isDryRun()) return;
  const resources = scene.foreign.map(({ manifest }) => resourceOf(manifest));
  const handed = await askCluster<{ problem?: string }>(
    access,
    { namespace, handOver: { to: FIELD_MANAGER, resources } },
    opts,
  );
  const problem = "unknown" in handed ? handed.unknown : handed.problem;
  if (problem === undefined) return;
  throw new RolloutRefused([
    {
      what: `  What other tools have set of ${resources.join(", ")} could not be handed over: ${problem}.`,
      next: `see that whoever runs \`up\` may get and patch these objects in the namespace ${namespace}`,
    },
  ]);
}
