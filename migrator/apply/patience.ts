import type { PlannedStatement } from "../../migrations/history/plan";
import { blockedBy } from "../../migrations/sql/locks";
import { effectOfStatement } from "./planned-effects";

/** Shorter waits than this, in milliseconds, would fail on a table that is merely in use. */
const SHORTEST = 10;

/**
 * Who waits behind the first lock of a transaction also waits while it waits for its second: lock_timeout bounds each wait, not their sum.
 * So what was waited is taken off the next lock_timeout, and a statement that takes several locks shares it among them.
 * How long a statement waited is not told by the server; of one that only changes the catalog it is nearly all of its time. The time of
 * statements that work (an index, a rewrite, rows) is not counted: it would leave nothing for the next lock, however free that is.
 */
export class Patience {
  #waited = 0;

  /** @param allowed milliseconds, for all waits of the transaction together */
  constructor(readonly allowed: number) {}

  /** lock_timeout for the statements that come next. */
  next(statements: readonly PlannedStatement[]): number {
    const locks = Math.max(1, ...statements.map(countLocks));
    return Math.max(SHORTEST, Math.floor((this.allowed - this.#waited) / locks));
  }

  /** They took this long, in milliseconds. */
  took(statements: readonly PlannedStatement[], duration: number): void {
    if (statements.every(isCatalogOnly)) this.#waited += duration;
  }
}

/** Locks of a statement that keep the app from reading or writing. */
function countLocks(statement: PlannedStatement): number {
  const tables = effectOfStatement(statement)?.tables ?? [];
  return tables.filter(({ lock }) => blockedBy(lock) !== "nothing").length;
}

/** It works through no table, as far as its text tells. */
export function isCatalogOnly(statement: PlannedStatement): boolean {
  const effect = effectOfStatement(statement);
  return effect !== undefined && effect.unknown === undefined && effect.tables.every(({ work }) => work === "none");
}
