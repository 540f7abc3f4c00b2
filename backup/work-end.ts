import { UNTOUCHED } from "../migrator/failures/failure";
import { Stopped } from "../migrator/failures/statement";

/** What ends the work of a program from outside. */
export interface WorkEnd {
  /** It is aborted by SIGTERM, SIGINT or when the time is over; its reason is the failure to tell. */
  readonly signal: AbortSignal;
  /** Listens no longer. */
  release(): void;
}

/**
 * Watches for what ends the work of a program.
 *
 * @param milliseconds the longest time of the work
 * @param tooSlow returns the failure when that time is over
 */
export function watchEnd(milliseconds: number, tooSlow: () => Error): WorkEnd {
  const over = new AbortController();
  const stop = (name: NodeJS.Signals) => over.abort(new Stopped(name === "SIGINT" ? "SIGINT" : "SIGTERM", UNTOUCHED));
  const timer = setTimeout(() => over.abort(tooSlow()), milliseconds);
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  return {
    signal: over.signal,
    release() {
      clearTimeout(timer);
      process.off("SIGTERM", stop);
      process.off("SIGINT", stop);
    },
  };
}

/**
 * Waits for work, but not after an abort: a store that doesn't answer must not keep the end from being told. The caller
 * sees to it that the work that is left behind ends by itself.
 */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
  aborted.catch(() => undefined);
  signal.throwIfAborted();
  return Promise.race([work, aborted]);
}
