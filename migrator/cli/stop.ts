import type { Session } from "../db/connection";

/** Longest time from the signal to the cut of the connection; well within the 30 s that a pod is given. */
const CANCEL_GRACE = 10_000;

/**
 * SIGTERM and SIGINT: what runs in the session is cancelled, so that its transaction rolls back; a server that doesn't react within 10 s is
 * left alone and its connection cut.
 */
export function stopSignal(session: Session): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  const stop = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) return;
    controller.abort(name);
    // A request can arrive between two statements, and then cancels nothing: ask until the session has ended.
    timers.push(setInterval(() => void session.cancel(), 500).unref());
    void session.cancel();
    timers.push(setTimeout(() => session.destroy(), CANCEL_GRACE).unref());
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  return {
    signal: controller.signal,
    release: () => {
      for (const timer of timers) clearInterval(timer);
      process.off("SIGTERM", stop);
      process.off("SIGINT", stop);
    },
  };
}
