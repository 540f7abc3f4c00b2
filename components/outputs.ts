import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { Sizes } from "../text/table-size";
import { ReleaseError } from "./release-error";

/** Rows and bytes by table, as they travel from one release to the next. */
export const sizesSchema: z.ZodType<Sizes> = z.object({
  recordedAt: z.string().exactOptional(),
  tables: z.record(z.string(), z.object({ rows: z.number(), bytes: z.number() })),
});

/** What a release tells other stacks. Every value describes the release that is live, also after a failed one. */
export const releaseOutputsSchema = z.object({
  /** Id of the live release. */
  releaseId: z.string(),
  /** The snapshot taken before the release's migrations; null where the environment takes none. */
  snapshot: z.object({ id: z.string(), arn: z.string(), createdAt: z.string() }).nullable(),
  migrations: z.object({
    /** Name of the last migration; null for an empty history. */
    last: z.string().nullable(),
    count: z.number(),
    /** sha-256 of all names and contents. */
    fingerprint: z.string(),
  }),
  image: z.string(),
  namespace: z.string(),
  /** Name of the Service. */
  service: z.string(),
  /** Where the app answers. */
  url: z.string(),
  /** What to type to get the snapshot back as a second database; null where there is none. */
  restore: z.string().nullable(),
  /**
   * Rows and bytes by table at the end of the migration, for the review of the next one (`npm run review -- --stats`); null
   * where they are unknown: they could not be read, or the release is one of a version that did not measure.
   */
  sizes: sizesSchema.nullable().default(null),
});

/** The outputs of a release, as another stack reads them. */
export type ReleaseOutputs = z.infer<typeof releaseOutputsSchema>;
/** All but the sizes, which a preview of a new release does not know. */
export type LiveRelease = Omit<ReleaseOutputs, "sizes">;

/** One stack output a key, so that a preview can show those that it knows. */
export function stackOutputs({
  outputs,
  sizes,
}: {
  outputs: pulumi.Output<LiveRelease>;
  sizes: pulumi.Output<Sizes | null>;
}): { [K in keyof ReleaseOutputs]: pulumi.Output<ReleaseOutputs[K]> } {
  const keys = Object.keys(releaseOutputsSchema.omit({ sizes: true }).shape) as (keyof LiveRelease)[];
  return { ...Object.fromEntries(keys.map((key) => [key, outputs.apply((all) => all[key])])), sizes } as never;
}

/** The outputs of the other stack are not those of a release. */
export class ReleaseOutputsError extends ReleaseError {
  override readonly name = "ReleaseOutputsError";
}

/**
 * Reads a release's outputs in another stack, typed and checked.
 *
 * @param key name of the output that holds those of the release, where the other program has other outputs too
 * @throws {@link ReleaseOutputsError} when the stack has not released anything yet, or its outputs have another shape
 */
export function readReleaseOutputs(stack: pulumi.StackReference, key?: string): pulumi.Output<ReleaseOutputs> {
  return stack.outputs.apply((outputs) => parseReleaseOutputs(key === undefined ? outputs : outputs[key]));
}

/** As {@link readReleaseOutputs}, for outputs that are at hand: `pulumi stack output --json`. */
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

/** What is wrong, by key; values are not repeated. */
export function wrongOutputs({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => (path.length > 0 ? `${path.join(".")}: ${message}` : message)).join("; ");
}
