/** The context of a method's call. When the caller is gone, the signal fires; the method then only stops waiting. */
export interface CallContext {
  signal: AbortSignal;
}

/** A method that a command may call in the background process. Its parameters and result are JSON. */
export type Method<Parameters, Result> = (parameters: Parameters, context?: CallContext) => Promise<Result>;

/**
 * One part of the local cloud in the background process (`daemon.ts`). Its methods change the cloud and, as in a real
 * cloud, continue when the command that called them is killed.
 */
export interface Service<Methods> {
  /** The methods, which clients call over the daemon's port as `<service>.<method>`. */
  methods: Methods;
  /** Stops every process that this service started, and waits for their end. */
  stop(): Promise<void>;
}
