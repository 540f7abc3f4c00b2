import type { Json } from "./provider";

/** How a service method learns that its caller went away, so that it stops waiting. What it began goes on. */
export interface CallContext {
  signal: AbortSignal;
}

/**
 * One part of the local cloud as it runs in the background process (`daemon.ts`): its methods change the cloud, and go
 * on when the command that called them is killed, as a real cloud does.
 */
export interface Service {
  /** Called over the daemon's socket as `<service>.<method>`; parameters and result are JSON. */
  methods: Record<string, (parameters: never) => Promise<Json | undefined>>;
  /** Stops every process this service started, and waits for their end. */
  stop(): Promise<void>;
}
