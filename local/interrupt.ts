export interface Interrupt {
  /** Aborted by the first Ctrl-C: finish what runs. */
  signal: AbortSignal;
  /** Aborted by the second: leave it. */
  hardSignal: AbortSignal;
  /** The work is done: Ctrl-C ends the process again, as by default. */
  release(): void;
}

/** One key press may arrive twice: from the terminal, and passed on by npm. */
const ONE_PRESS_MILLISECONDS = 300;

/** Turns Ctrl-C (and SIGTERM, as CI sends it) into two requests: first "finish what runs", then "leave". */
export function onInterrupt(say: (text: string) => void): Interrupt {
  const soft = new AbortController();
  const hard = new AbortController();
  let last = 0;
  const interrupted = () => {
    const now = Date.now();
    if (now - last < ONE_PRESS_MILLISECONDS) return;
    last = now;
    if (!soft.signal.aborted) {
      say("Stopping: nothing new is started, what runs is finished. Ctrl-C again leaves it running and ends now.");
      soft.abort(new Error("interrupted"));
    } else if (!hard.signal.aborted) {
      say("Leaving. What runs in the cloud goes on; the same command goes on from there.");
      hard.abort(new Error("interrupted twice"));
    } else process.exit(130);
  };
  process.on("SIGINT", interrupted);
  process.on("SIGTERM", interrupted);
  return {
    signal: soft.signal,
    hardSignal: hard.signal,
    release() {
      // Once interrupted, always 130: another Ctrl-C during the last words must not end the process with another status.
      if (soft.signal.aborted) return;
      process.off("SIGINT", interrupted);
      process.off("SIGTERM", interrupted);
    },
  };
}
