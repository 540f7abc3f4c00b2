import { pause } from "./pause";
import type { Container, Probe } from "./pod-types";
import { type HandlerTarget, runHandler, watchProbe } from "./probe";

/** The events of one run of a container. */
export interface HealthEvents {
  started(): void;
  ready(isReady: boolean): void;
  /** The startup or liveness probe has failed too often. */
  sick(why: string): void;
}

export interface HealthOptions {
  target: HandlerTarget;
  /** Fires when the run has ended or the container is being stopped. */
  signal: AbortSignal;
  neverReady: boolean;
  noticeMilliseconds: number;
}

/** Watches a run with the container's probes. The other two only start when the startup probe has succeeded. */
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
      // A real node notices a start with a delay, so a container that crashes at once never becomes ready.
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
