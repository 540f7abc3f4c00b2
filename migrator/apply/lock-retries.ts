import { setTimeout as pause } from "node:timers/promises";
import type { Migration } from "../../migrations/history/history";
import { formatDuration } from "../../text/short-duration";
import { LockNotObtained } from "../failures/statement";
import type { Run } from "../run";
import { sqlEvidence } from "./error-location";
import { titleOf } from "./names";

/**
 * The Postgres codes for a lock that another session holds: lock_timeout ran out (55P03), or a deadlock was resolved by
 * cancelling this session's statement (40P01).
 */
const LOCKED = new Set(["55P03", "40P01"]);

/** One attempt to get a lock, and the pause after it if it fails. Times are in milliseconds. */
interface Attempt {
  readonly number: number;
  readonly lockTimeout: number;
  readonly pause: number;
}

/** The number and the waits of the attempts at one unit of work, for the audit. */
export interface Attempts {
  count: number;
  /** The milliseconds spent in attempts that got no lock, and in the pauses after them. */
  lockWait: number;
}

/** The shortest lock_timeout of a first attempt, in milliseconds, unless the allowed wait is shorter. */
const SHORTEST = 100;
/** The factor by which lock_timeout and pause grow from one attempt to the next. */
const GROWTH = 1.5;
/** The longest pause between two attempts, in milliseconds, without the jitter. */
const LONGEST_PAUSE = 30_000;

/**
 * Yields attempts without end; the caller has a limit. The first attempt waits for a fifth of the allowed time, so that
 * on a quiet system the app hardly notices an attempt that fails. The waits then grow to the allowed time, and never
 * beyond: lock_timeout is always set. The pauses grow from 1 s to 30 s, with a jitter of ± 50 % so that they don't fall
 * in step with whatever holds the lock.
 * @param allowed the longest wait for a lock, in milliseconds
 */
function* lockAttempts(allowed: number): Generator<Attempt, never> {
  let lockTimeout = firstLockTimeout(allowed);
  let pause = 1000;
  for (let number = 1; ; number++) {
    yield { number, lockTimeout: Math.round(lockTimeout), pause: Math.round(pause * (0.5 + Math.random())) };
    lockTimeout = Math.min(allowed, lockTimeout * GROWTH);
    pause = Math.min(LONGEST_PAUSE, pause * GROWTH);
  }
}

/** Returns the lock_timeout of a first attempt, in milliseconds, where `allowed` is the longest wait. */
export function firstLockTimeout(allowed: number): number {
  return Math.round(Math.min(allowed, Math.max(SHORTEST, allowed / 5)));
}

/**
 * Repeats a unit of work (a whole transaction, or one statement outside of one) while other sessions hold its locks.
 * The work must leave nothing behind when it fails.
 * @param state returns the state of the database, for the failure message
 * @throws LockNotObtained if no attempt succeeds within the setting lockRetryTimeout
 */
export async function retryForLocks<T>(
  run: Run,
  migration: Migration,
  state: () => string,
  work: (lockTimeout: number, soFar: Attempts) => Promise<T>,
): Promise<{ result: T; attempts: Attempts }> {
  const { settings, log, watcher, signal } = run;
  const began = Date.now();
  let lockWait = 0;
  for (const attempt of lockAttempts(settings.lockTimeout)) {
    const attemptBegan = Date.now();
    try {
      const attempts = { count: attempt.number, lockWait };
      return { result: await work(attempt.lockTimeout, attempts), attempts };
    } catch (error) {
      if (!LOCKED.has((error as { code?: string }).code ?? "") || signal.aborted) throw error;
      const holders = watcher.blockers.length > 0 ? watcher.blockers.join("; ") : "no longer to be seen";
      const spent = Date.now() - began;
      // The last pause may be cut short, so that one attempt is left at the very end.
      const rest = Math.min(attempt.pause, settings.lockRetryTimeout - spent);
      if (rest <= 0)
        throw new LockNotObtained(
          titleOf(migration),
          attempt.number,
          formatDuration(spent),
          `${sqlEvidence(error, migration)}\nHeld by: ${holders}`,
          state(),
          error,
        );
      log.event(
        "lock.retry",
        `  attempt ${attempt.number}: ${(error as Error).message} (lock_timeout ${formatDuration(attempt.lockTimeout)}); held by ${holders}; next attempt in ${formatDuration(attempt.pause)}`,
        {
          migration: migration.name,
          attempt: attempt.number,
          lockTimeout: attempt.lockTimeout,
          pause: attempt.pause,
          holders: [...watcher.blockers],
        },
      );
      await pause(rest, undefined, { signal }).catch(() => undefined);
      lockWait += Date.now() - attemptBegan;
      if (signal.aborted) throw error;
    }
  }
  throw new Error("unreachable");
}
