/** Postgres' codes for a lock that another session holds: lock_timeout ran out, or a deadlock was resolved against us. */
const LOCKED = new Set(["55P03", "40P01"]);

export function isLockConflict(error: unknown): boolean {
  return LOCKED.has((error as { code?: string }).code ?? "");
}

/** One attempt to get a lock, and the pause after it if it fails; milliseconds. */
export interface Attempt {
  readonly number: number;
  readonly lockTimeout: number;
  readonly pause: number;
}

const SHORTEST = 100;
const GROWTH = 1.5;
const LONGEST_PAUSE = 30_000;

/**
 * Attempts without end; the caller ends them after lockRetryTimeout. The first gives up after a fifth of the allowed wait, so that on a quiet system the app
 * hardly notices an attempt in vain; then the waits grow to what is allowed, and never beyond: lock_timeout is always set.
 * The pauses grow from 1 s to 30 s, with a jitter of ± 50 % so that they don't fall in step with whatever holds the lock.
 */
export function* lockAttempts(allowed: number, random: () => number = Math.random): Generator<Attempt, never> {
  let lockTimeout = Math.min(allowed, Math.max(SHORTEST, allowed / 5));
  let pause = 1000;
  for (let number = 1; ; number++) {
    yield { number, lockTimeout: Math.round(lockTimeout), pause: Math.round(pause * (0.5 + random())) };
    lockTimeout = Math.min(allowed, lockTimeout * GROWTH);
    pause = Math.min(LONGEST_PAUSE, pause * GROWTH);
  }
}
