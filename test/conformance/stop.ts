import { constants } from "node:os";

/** Whether somebody asked this run to stop. */
export interface Stop {
  /** Aborted at the first SIGINT, SIGTERM or SIGHUP; further ones change nothing, as cleaning up takes its time. */
  signal: AbortSignal;
  /** With which to end: 128 and the signal's number, as shells have it. Undefined when nobody asked. */
  status(): number | undefined;
}

export function onStop(say: (text: string) => void): Stop {
  const controller = new AbortController();
  let status: number | undefined;
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      if (status !== undefined) return;
      status = 128 + constants.signals[name];
      say(`${name}: ending what runs and everything that was started for it …`);
      controller.abort();
    });
  }
  return { signal: controller.signal, status: () => status };
}
