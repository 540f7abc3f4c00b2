/** How a service method learns that its caller went away, so that it stops waiting. What it began goes on. */
export interface CallContext {
  signal: AbortSignal;
}

/** A method that a command may call in the background process; parameters and result are JSON. */
export type Method<Parameters, Result> = (parameters: Parameters, context?: CallContext) => Promise<Result>;

/**
 * One part of the local cloud as it runs in the background process (`daemon.ts`): its methods change the cloud, and go
 * on when the command that called them is killed, as a real cloud does.
 */
export interface Service<Methods> {
  /** Called over the daemon's socket as `<service>.<method>`. */
  methods: Methods;
  /** Stops every process this service started, and waits for their end. */
  stop(): Promise<void>;
}
