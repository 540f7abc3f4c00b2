import type { TrialInput } from "../../trial/run-trial";
import type { Trial } from "../trial";

/** The migrations were to be run (`--run`), and could not be. */
export class RunError extends Error {
  override readonly name = "RunError";
}

/** Whether the migrations are run. With `if-possible` the review goes on without, and says why. */
export type Asked = "yes" | "if-possible" | "no";

/**
 * Runs the new migrations on a temporary Postgres, if it is asked for and any is new. What that needs is loaded only
 * then.
 * @throws RunError
 */
export async function tryMigrations(asked: Asked, input: TrialInput): Promise<Trial | undefined> {
  if (asked === "no" || input.history.every(({ name }) => input.applied.has(name))) return undefined;
  const { runTrial, SeedFailed } = await import("../../trial/run-trial.js");
  try {
    const trial = await runTrial(input);
    if (asked === "if-possible" || trial.unavailable === undefined) return trial;
    throw new RunError(
      `The migrations could not be run (--run): ${trial.unavailable}.\nTo review them without: --no-run.`,
    );
  } catch (error) {
    throw error instanceof SeedFailed ? new RunError(error.message) : error;
  }
}
