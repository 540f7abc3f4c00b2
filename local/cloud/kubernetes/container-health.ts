import { pause } from "./pause";
import type { Container, Probe } from "./pod-types";
import { type HandlerTarget, runHandler, watchProbe } from "./probe";

/** What is learned about one run of a container. */
export interface HealthEvents {
  started(): void;
  ready(isReady: boolean): void;
  /** Its startup or liveness probe gave it up. */
  sick(why: string): void;
}

export interface HealthOptions {
  target: HandlerTarget;
  /** Fires when the run is over or the container is being stopped. */
  signal: AbortSignal;
  neverReady: boolean;
  noticeMilliseconds: number;
}

/** Watches a run by the container's probes: until the startup probe has succeeded once, the other two do not count. */
export function watchHealth(container: Container, options: HealthOptions, events: HealthEvents): void {
  const { target, signal, neverReady, noticeMilliseconds } = options;
  const { startupProbe, livenessProbe, readinessProbe } = container;
  const ask = (probe: Probe) => () => runHandler(probe, target, (probe.timeoutSeconds ?? 1) * 1000, signal);

  const afterStart = () => {
    events.started();
    if (livenessProbe) {
      void watchProbe(livenessProbe, ask(livenessProbe), { failure: events.sick }, { signal, eager: false });
    }
    if (neverReady) return;
    if (readinessProbe) {
      const on = { success: () => events.ready(true), failure: () => events.ready(false) };
      void watchProbe(readinessProbe, ask(readinessProbe), on, { signal, eager: true });
    } else {
      // A node notices a start only when it looks; what crashes at once never counts as ready.
      void pause(noticeMilliseconds, signal).then(() => {
        if (!signal.aborted) events.ready(true);
      });
    }
  };

  if (!startupProbe) {
    afterStart();
    return;
  }
  const done = new AbortController();
  const success = () => {
    done.abort();
    afterStart();
  };
  const until = { signal: AbortSignal.any([signal, done.signal]), eager: true };
  void watchProbe(startupProbe, ask(startupProbe), { success, failure: events.sick }, until);
}
