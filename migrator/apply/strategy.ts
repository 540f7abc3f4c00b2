import { formatDuration } from "../../text/short-duration";
import { keepLock } from "../db/lock";
import type { Failure } from "../failures/failure";
import type { Progress } from "../records/progress";
import type { Run } from "../run";
import type { Attempts } from "./lock-retries";
import type { PlannedMigration } from "./planned-effects";

/** A migration that is to be applied. */
export interface QueuedMigration extends PlannedMigration {
  /** The progress of an earlier run; undefined: no earlier run has begun the migration. */
  readonly resume: Progress | undefined;
}

/** A way to apply the migrations at the front of the queue. */
export interface Strategy {
  /**
   * Returns how many migrations the strategy takes from the front of the queue; 0: it doesn't accept the first of them.
   * @param at returns the migration at an index, counted from the front, and plans it first if necessary; undefined:
   *   the queue has no such migration
   */
  take(at: (index: number) => QueuedMigration | undefined): number;
  /**
   * Applies the migrations that were taken, in their order.
   * @param first statements to run before the first of them, such as the creation of the history table
   * @param meanwhile the work to do while the server works
   * @returns how many of them are applied (if not all are, another strategy continues with the rest), and a function
   *   that writes their log lines, if these are still to be written
   */
  apply(
    run: Run,
    taken: readonly QueuedMigration[],
    first: readonly string[],
    meanwhile: () => void,
  ): Promise<{ applied: number; writeLog?: () => void }>;
}

/** The result of a migration that was applied by itself. */
export interface Applied {
  readonly attempts: Attempts;
  /** The duration in milliseconds; for a migration in one transaction, of the attempt that succeeded. */
  readonly duration: number;
  readonly rows: number;
}

/**
 * Makes a strategy that applies one migration at a time.
 * @param isFor returns true if the strategy accepts the migration
 * @param apply applies the migration; it returns undefined if another strategy must apply it
 */
export function oneByOne(
  isFor: (migration: QueuedMigration) => boolean,
  apply: (run: Run, migration: QueuedMigration, first: readonly string[]) => Promise<Applied | undefined>,
): Strategy {
  return {
    take: (at) => (isFor(at(0)!) ? 1 : 0),
    async apply(run, [queued], first) {
      const { log, records, session } = run;
      const { migration } = queued!;
      try {
        const applied = await apply(run, queued!, first);
        if (!applied) return { applied: 0 };
        await keepLock(session, migration.sql, log);
        log.event("migration.finished", `  applied in ${formatDuration(applied.duration)}`, {
          migration: migration.name,
          duration: applied.duration,
          rows: applied.rows,
          attempts: applied.attempts.count,
          lockWait: applied.attempts.lockWait,
        });
        return { applied: 1 };
      } catch (error) {
        const data = { code: (error as Partial<Failure>).code, reason: (error as Error).message };
        await records.audit({ event: "migration.failed", migration: migration.name, data });
        throw error;
      }
    },
  };
}
