import type { PlannedStatement } from "../../migrations/history/plan";
import type { Effect } from "../../migrations/schema/effect";
import { blockedBy } from "../../migrations/sql/locks";

/** Shorter waits than this, in milliseconds, would fail on a table that is merely in use. */
const SHORTEST = 10;

/**
 * How long a transaction may still wait for locks. Who waits behind its first lock also waits while it waits for its second: lock_timeout
 * bounds each wait, not their sum. So what was waited is taken off the next lock_timeout, and a statement that takes several locks shares
 * it among them.
 * How long a statement waited is not told by the server; of one that only changes the catalog it is nearly all of its time. The time of
 * statements that work (an index, a rewrite, rows) is not counted: it would leave nothing for the next lock, however free that is.
 */
export class LockWaitBudget {
  #waited = 0;

  /**
   * @param allowed milliseconds, for all waits of the transaction together
   * @param effects of the migration's statements, by their index
   */
  constructor(
    readonly allowed: number,
    readonly effects: readonly (Effect | undefined)[],
  ) {}

  /** Says which lock_timeout, in milliseconds, the statements have that come next. */
  timeoutFor(statements: readonly PlannedStatement[]): number {
    const locks = Math.max(1, ...statements.map(({ index }) => countLocks(this.effects[index])));
    return Math.max(SHORTEST, Math.floor((this.allowed - this.#waited) / locks));
  }

  /** Takes off what the statements waited, which took this many milliseconds. */
  spend(statements: readonly PlannedStatement[], duration: number): void {
    if (statements.every(({ index }) => isCatalogOnly(this.effects[index]))) this.#waited += duration;
  }
}

/** Counts the locks that keep the app from reading or writing. */
function countLocks(effect: Effect | undefined): number {
  return (effect?.tables ?? []).filter(({ lock }) => blockedBy(lock) !== "nothing").length;
}

/** Whether a statement works through no table, as far as its text tells. */
export function isCatalogOnly(effect: Effect | undefined): boolean {
  return effect !== undefined && effect.unknown === undefined && effect.tables.every(({ work }) => work === "none");
}
