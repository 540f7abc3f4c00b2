import { existsSync } from "node:fs";
import type { PrismaFile } from "../../migrations/revert/prisma-schema";
import type { TrialInput } from "../../trial/run-trial";
import type { Trial } from "../trial";
import { readBaseSchema } from "./base";

/** The migrations were to be run (`--run`), and could not be. */
export class RunError extends Error {
  override readonly name = "RunError";
}

/** Whether the migrations are run. With `if-possible` the review goes on without, and says why. */
export type Asked = "yes" | "if-possible" | "no";

/** Where the Prisma schema of the version that is serving is. */
export interface BaseSchema {
  /** The folder of migrations. */
  readonly directory: string;
  /** The schema that `--schema` or `review.schema` names; `false`: none is read. */
  readonly schema: string | boolean | undefined;
  /** The commit that the branch is compared with; undefined: the version is unknown. */
  readonly ref: string | undefined;
}

/**
 * Runs the new migrations on a temporary Postgres, if it is asked for and any is new. What that needs is loaded only
 * then.
 * @throws RunError
 */
export async function tryMigrations(asked: Asked, input: TrialInput, base: BaseSchema): Promise<Trial | undefined> {
  if (asked === "no" || input.history.every(({ name }) => input.applied.has(name))) return undefined;
  const { seed } = input;
  if (typeof seed === "string" && !existsSync(seed))
    throw new RunError(`There is no ${seed} (--seed, or review.seed).`);
  const { runTrial, SeedFailed } = await import("../../trial/run-trial.js");
  try {
    const trial = await runTrial({ ...input, baseSchema: await baseSchema(base) });
    if (asked === "if-possible" || trial.unavailable === undefined) return trial;
    throw new RunError(
      `The migrations could not be run (--run): ${trial.unavailable}.\nTo review them without: --no-run.`,
    );
  } catch (error) {
    throw error instanceof SeedFailed ? new RunError(error.message) : error;
  }
}

async function baseSchema({ directory, schema, ref }: BaseSchema): Promise<PrismaFile[] | undefined> {
  if (ref === undefined || schema === false) return undefined;
  const { schemaSource } = await import("./schema.js");
  const source = schemaSource(directory, schema === true ? undefined : schema);
  return source && readBaseSchema(source.path, ref);
}
