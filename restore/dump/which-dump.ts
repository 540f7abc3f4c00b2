import { ENDINGS } from "../../backup/pod-folder";
import { CommandFailure, EXIT } from "../../by-hand/failure";
import type { ReleaseFacts } from "../../by-hand/release-facts";

/** A dump that is to be restored. */
export interface WantedDump {
  /** Its name, with folders and without an ending; undefined: the last one that the database has recorded. */
  readonly name: string | undefined;
  readonly notes: readonly string[];
}

/**
 * Finds out which dump `--to` means: its name as in the output `backup`, its place, or the last part of its name.
 * Without `--to` it is that of the live release.
 * @param place the store: `s3://bucket/prefix`, or `pvc://claim`
 * @param folder the folder of the stack's dumps in it
 * @throws CommandFailure if the live release took none
 */
export function wantedDump(
  to: string | undefined,
  { outputs, unknown }: ReleaseFacts,
  { place, folder }: { place: string; folder: string },
): WantedDump {
  if (to !== undefined) return { name: nameOf(to, place, folder), notes: [] };
  if (outputs?.backup?.kind === "dump") return { name: outputs.backup.id, notes: [] };
  if (!outputs)
    return {
      name: undefined,
      notes: [
        `Which dump the live release took is not known (${unknown}). This is the last one that the database has recorded; a release that failed may have taken it.`,
      ],
    };
  throw new CommandFailure(
    EXIT.usage,
    outputs.backup
      ? `The live release took no dump, but the ${outputs.backup.kind} ${outputs.backup.id}.`
      : "The live release took no dump.",
    undefined,
    "the same command with --to DUMP",
  );
}

function nameOf(to: string, place: string, folder: string): string {
  const inside = to.startsWith(`${place}/`) ? to.slice(place.length + 1) : to;
  const ending = Object.values(ENDINGS).find((each) => inside.endsWith(each));
  const name = ending === undefined ? inside : inside.slice(0, -ending.length);
  return name.includes("/") ? name : `${folder}/${name}`;
}
