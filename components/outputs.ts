import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { Sizes } from "../text/table-size";
import { backupSchema } from "./backup-step";
import { ReleaseError } from "./release-error";

/** The rows and bytes of each table, as one release passes them to the next. */
export const sizesSchema: z.ZodType<Sizes> = z.object({
  recordedAt: z.string().exactOptional(),
  tables: z.record(z.string(), z.object({ rows: z.number(), bytes: z.number() })),
});

/**
 * The outputs that a release offers to other stacks. Every value describes the live release, also after a later
 * release has failed.
 */
export const releaseOutputsSchema = z.object({
  /** The id of the live release. */
  releaseId: z.string(),
  /** The snapshot that was taken before the release's migrations; null if there is none. */
  snapshot: z.object({ id: z.string(), arn: z.string(), createdAt: z.string() }).nullable(),
  /**
   * The backup that was made before the release's migrations, of any kind; null if there is none, or if an older version
   * of this project made the release.
   */
  backup: backupSchema.nullable().default(null),
  migrations: z.object({
    /** The name of the last migration; null for an empty history. */
    last: z.string().nullable(),
    count: z.number(),
    /** The sha-256 of all migrations' names and contents. */
    fingerprint: z.string(),
  }),
  /** The setting `release.attempt`; null if an older version of this project made the release. */
  attempt: z.number().nullable().default(null),
  image: z.string(),
  namespace: z.string(),
  /** The name of the Service. */
  service: z.string(),
  /** The URL of the app. */
  url: z.string(),
  /** The command that restores the snapshot as a second database; null if there is no snapshot. */
  restore: z.string().nullable(),
  /**
   * The rows and bytes of each table at the end of the migration, for the review of the next one
   * (`npm run review -- --stats`). They are null if they could not be read, or if the release was made by an older
   * version of this project, which didn't measure them.
   */
  sizes: sizesSchema.nullable().default(null),
});

/** The outputs of a release, as another stack reads them. */
export type ReleaseOutputs = z.infer<typeof releaseOutputsSchema>;
/** The outputs without the sizes, which are unknown in a preview of a new release. */
export type LiveRelease = Omit<ReleaseOutputs, "sizes">;

/** Returns one stack output for each key, so that a preview can show those that are known. */
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
