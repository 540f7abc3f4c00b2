import type * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import type { Sizes } from "../text/table-size";
import { ReleaseError } from "./release-error";
import { type LiveRelease, type ReleaseOutputs, releaseOutputsSchema } from "./release-outputs";

/** Returns one stack output for each key, so that a preview can show those that are known. */
export function stackOutputs({
  outputs,
  ...found
}: {
  outputs: pulumi.Output<LiveRelease>;
  sizes: pulumi.Output<Sizes | null>;
  migrationBegan: pulumi.Output<string | null>;
}): { [K in keyof ReleaseOutputs]: pulumi.Output<ReleaseOutputs[K]> } {
  const { sizes, migrationBegan } = found;
  const shape = releaseOutputsSchema.omit({ sizes: true, migrationBegan: true }).shape;
  const keys = Object.keys(shape) as (keyof LiveRelease)[];
  const known = Object.fromEntries(keys.map((key) => [key, outputs.apply((all) => all[key])]));
  return { ...known, sizes, migrationBegan } as never;
}

/** This error reports that the outputs of another stack are not those of a release. */
export class ReleaseOutputsError extends ReleaseError {
  override readonly name = "ReleaseOutputsError";
}

/**
 * Reads a release's outputs in another stack, typed and checked.
 *
 * @param key The name of the output that contains the release's outputs, if the other program has other outputs too.
 *   Default: the stack's outputs are those of the release.
 * @throws {@link ReleaseOutputsError} when the stack has not released anything yet, or its outputs have another shape
 */
export function readReleaseOutputs(stack: pulumi.StackReference, key?: string): pulumi.Output<ReleaseOutputs> {
  return stack.outputs.apply((outputs) => parseReleaseOutputs(key === undefined ? outputs : outputs[key]));
}

/**
 * Checks outputs that the caller has already read, for example with `pulumi stack output --json`.
 *
 * @throws {@link ReleaseOutputsError} when they are empty or have another shape
 */
export function parseReleaseOutputs(outputs: unknown): ReleaseOutputs {
  const parsed = releaseOutputsSchema.safeParse(outputs);
  if (parsed.success) return parsed.data;
  if (!outputs || Object.keys(outputs).length === 0) {
    throw new ReleaseOutputsError(
      "Nothing was touched: both stacks are as they were. The other one has no outputs of a release yet: " +
        "its first release has not been completed. Run `pulumi up` there first.",
    );
  }
  throw new ReleaseOutputsError(
    `The other stack's outputs are not those of a release (${wrongOutputs(parsed.error)}). Is it the right stack?\n` +
      "Nothing was touched: both stacks are as they were.\n" +
      "Correct the name in the StackReference; if it is right, `pulumi up` there writes the outputs anew.",
  );
}

/** Lists what is wrong by key, without the values. */
export function wrongOutputs({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => (path.length > 0 ? `${path.join(".")}: ${message}` : message)).join("; ");
}
