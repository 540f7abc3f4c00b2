import { formatDuration } from "../../text/short-duration";
import { keepLock } from "../db/lock";
import type { Failure } from "../failures/failure";
import type { Progress } from "../records/progress";
import type { Run } from "../run";
import type { Attempts } from "./lock-retries";
import type { PlannedMigration } from "./planned-effects";

/** A migration that is to be applied. */
export interface QueuedMigration extends PlannedMigration {
  /** What an earlier run has done of it. */
  readonly resume: Progress | undefined;
}

/** A way to apply what stands at the front of the queue. */
export interface Strategy {
  /**
   * Says how many migrations it takes from the front of the queue; 0: it is not for the first of them.
   * @param at plans a migration where that isn't done yet, counted from the front; undefined behind the end
   */
  take(at: (index: number) => QueuedMigration | undefined): number;
  /**
   * Applies them in their order.
   * @param first statements to run before the first of them, such as the creation of the history table
   * @param meanwhile is to be done while the server works
   * @returns how many of them are applied: where that is not all, another strategy goes on with the rest; and what writes their lines of
   *   the log, if that is still to be done
   */
  apply(
    run: Run,
    taken: readonly QueuedMigration[],
    first: readonly string[],
    meanwhile: () => void,
  ): Promise<{ applied: number; writeLog?: () => void }>;
}

/** How a migration was applied by itself. */
export interface Applied {
  readonly attempts: Attempts;
  /** Milliseconds of the attempt that succeeded. */
  readonly duration: number;
  readonly rows: number;
}

/**
 * Makes a strategy for one migration at a time.
 * @param apply returns undefined where another strategy is to apply it
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
