import { setTimeout as pause } from "node:timers/promises";
import { formatDuration } from "../../text/short-duration";
import { LockNotObtained } from "../failures/statement";
import type { Run } from "../run";
import { isLockConflict, lockAttempts } from "./retry";

/** How the attempts at one unit of work went, for the audit. */
export interface Attempts {
  count: number;
  /** Milliseconds spent in attempts that got no lock, and in the pauses after them. */
  lockWait: number;
}

/**
 * Does a unit of work (a whole transaction, or one statement outside of one) again while other sessions hold its locks. The work must leave
 * nothing behind when it fails.
 * @param state what the database is like when no attempt succeeds
 */
export async function withLockAttempts<T>(
  run: Run,
  what: { migration: string; state: () => string; evidence: (error: unknown) => string },
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
      if (!isLockConflict(error) || signal.aborted) throw error;
      const holders = watcher.blockers.length > 0 ? watcher.blockers.join("; ") : "no longer to be seen";
      const spent = Date.now() - began;
      // The last pause may be cut short, so that one attempt is left at the very end of lockRetryTimeout.
      const rest = Math.min(attempt.pause, settings.lockRetryTimeout - spent);
      if (rest <= 0)
        throw new LockNotObtained(
          what.migration,
          attempt.number,
          formatDuration(spent),
          `${what.evidence(error)}\nHeld by: ${holders}`,
          what.state(),
          error,
        );
      log.event(
        "lock.retry",
        `  attempt ${attempt.number}: ${(error as Error).message} (lock_timeout ${formatDuration(attempt.lockTimeout)}); held by ${holders}; next attempt in ${formatDuration(attempt.pause)}`,
        {
          migration: what.migration,
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
