import type { IncomingMessage, ServerResponse } from "node:http";

/** The context of a method's call. When the caller is gone, the signal fires; the method then only stops waiting. */
export interface CallContext {
  signal: AbortSignal;
}

/** Answers requests of other programs, in the protocol of the real cloud. */
export interface Api {
  /** The path of its requests. */
  path: string;
  /** @param secret the secret that the caller must prove to have */
  answer(request: IncomingMessage, response: ServerResponse, secret: string): Promise<void>;
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
  /** Answers other programs; undefined if it has no such port. */
  api?: Api;
  /** Stops every process that this service started, and waits for their end. */
  stop(): Promise<void>;
}
