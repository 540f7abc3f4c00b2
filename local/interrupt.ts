export interface Interrupt {
  /** Aborted by the first Ctrl-C: running steps are finished. */
  signal: AbortSignal;
  /** Aborted by the second Ctrl-C: running steps are not waited for. */
  hardSignal: AbortSignal;
  /** Ends the handling of Ctrl-C when the work is done; without an interruption, Ctrl-C ends the process again. */
  release(): void;
}

/** One key press may arrive twice within this time: once from the terminal and once passed on by npm. */
const ONE_PRESS_MILLISECONDS = 300;

/** Turns Ctrl-C and SIGTERM, which CI sends, into two requests: the first finishes running steps, the second leaves. */
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
      // After an interruption the exit status must be 130, so a further Ctrl-C must not end the process differently.
      if (soft.signal.aborted) return;
      process.off("SIGINT", interrupted);
      process.off("SIGTERM", interrupted);
    },
  };
}
