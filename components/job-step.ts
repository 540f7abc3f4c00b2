/**
 * The step of a release that a Job runs the migrator for. `preflight` only reads; `migrate` applies the pending
 * migrations and verifies them; `contract` runs after the rollout and after `settings.soak`, and applies the migrations
 * that remove what only the old version needed.
 */
export type MigratorStep = "preflight" | "migrate" | "contract";

/** The step of a release that a Job runs. `dump` and `branch` make the backup where RDS takes none. */
export type JobStep = MigratorStep | "dump" | "branch";
