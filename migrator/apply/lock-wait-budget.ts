import type { PlannedStatement } from "../../migrations/history/plan";
import type { Effect } from "../../migrations/schema/effect";
import { blockedBy } from "../../migrations/sql/locks";

/** The shortest lock_timeout, in milliseconds. A shorter one would fail on a table that is merely in use. */
const SHORTEST = 10;

/**
 * Calculates how long a transaction may still wait for locks. A session that waits for the transaction's first lock
 * also waits while the transaction waits for its second one, and lock_timeout bounds each wait, not their sum. So the
 * time already waited is subtracted from the next lock_timeout, and a statement that takes several locks divides it
 * among them.
 * The server doesn't report how long a statement waited. A statement that only changes the catalog spends nearly all of
 * its time waiting. The time of statements that process data (an index, a rewrite, rows) is not counted, because it
 * would leave nothing for the next lock, even if that lock is free.
 */
export class LockWaitBudget {
  #waited = 0;

  /**
   * @param allowed the milliseconds for all waits of the transaction together
   * @param effects the effects of the migration's statements, by their index
   */
  constructor(
    readonly allowed: number,
    readonly effects: readonly (Effect | undefined)[],
  ) {}

  /** Returns the lock_timeout, in milliseconds, for the statements that come next. */
  timeoutFor(statements: readonly PlannedStatement[]): number {
    const locks = Math.max(1, ...statements.map(({ index }) => countLocks(this.effects[index])));
    return Math.max(SHORTEST, Math.floor((this.allowed - this.#waited) / locks));
  }

  /**
   * Subtracts the time that statements waited.
   * @param duration the milliseconds that the statements took
   */
  spend(statements: readonly PlannedStatement[], duration: number): void {
    if (statements.every(({ index }) => isCatalogOnly(this.effects[index]))) this.#waited += duration;
  }
}

/** Counts the locks that keep the app from reading or writing. */
function countLocks(effect: Effect | undefined): number {
  return (effect?.tables ?? []).filter(({ lock }) => blockedBy(lock) !== "nothing").length;
}

/** Returns true if a statement only changes the catalog and processes no table's rows, as far as its text shows. */
export function isCatalogOnly(effect: Effect | undefined): boolean {
  return effect !== undefined && effect.unknown === undefined && effect.tables.every(({ work }) => work === "none");
}
