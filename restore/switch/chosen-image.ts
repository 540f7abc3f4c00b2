import { CommandFailure, EXIT } from "../../by-hand/failure";
import type { ReleaseFacts } from "../../by-hand/release-facts";

/** The image that is rolled out with a copy. */
export interface ChosenImage {
  readonly image: string;
  /** Why it is this one, such as "of release 3f2a9c41b07e, which had this schema". */
  readonly why: string;
}

/**
 * Finds the image that belongs to the schema of a copy: that of the newest release that ended with the copy's last
 * migration, as the stack's outputs tell.
 * @param given the image of `--image`
 * @throws CommandFailure if nothing tells which image belongs to it
 */
export function chosenImage({ outputs, unknown }: ReleaseFacts, last: string, given: string | undefined): ChosenImage {
  if (given !== undefined) return { image: given, why: "as --image says" };
  const live = outputs && {
    releaseId: outputs.releaseId,
    image: outputs.image,
    lastMigration: outputs.migrations.last,
  };
  const found = [...(live ? [live] : []), ...(outputs?.before ?? [])].find((each) => each.lastMigration === last);
  if (found)
    return {
      image: found.image,
      why: `of release ${found.releaseId}, ${found === live ? "which is live" : "the last one with this schema"}`,
    };
  throw new CommandFailure(
    EXIT.usage,
    unknown === undefined
      ? `No release that the stack's outputs name had the copy's schema, ${last}.`
      : `It isn't known which image belongs to the copy's schema, ${last}: ${unknown}.`,
    undefined,
    "the same command with --image IMAGE, the app's image of that time",
  );
}
