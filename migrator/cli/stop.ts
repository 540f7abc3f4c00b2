import type { Session } from "../db/connection";

/**
 * The longest time, in milliseconds, from the signal until the connection is cut. It is well within the 30 s that
 * Kubernetes gives a pod to end.
 */
const CANCEL_GRACE = 10_000;

/**
 * Handles SIGTERM and SIGINT: cancels what runs in the session, so that its transaction rolls back. If the server
 * doesn't react within 10 s, the connection is cut.
 */
export function stopSignal(session: Session): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  const stop = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) return;
    controller.abort(name);
    // A cancel request that arrives between two statements cancels nothing, so the request is repeated until the
    // session has ended.
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
