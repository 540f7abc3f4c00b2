/** The parts of autocannon 8 that the demo uses; the package has no types of its own. */
declare module "autocannon" {
  import type { EventEmitter } from "node:events";

  interface Options {
    url: string;
    connections: number;
    /** The requests per second over all connections. */
    overallRate: number;
    /** The duration in seconds. */
    duration: number;
    /** The seconds until a request counts as timed out. */
    timeout: number;
    requests: {
      method: string;
      path: string;
      headers?: Record<string, string>;
      body?: string;
      onResponse(status: number, body: string): void;
    }[];
    setupClient(client: autocannon.Client): void;
  }

  interface Instance extends EventEmitter {
    stop(): void;
    on(
      event: "response",
      listener: (client: unknown, status: number, bytes: number, milliseconds: number) => void,
    ): this;
    on(event: "reqError" | "done", listener: (...values: unknown[]) => void): this;
  }

  namespace autocannon {
    /** One connection (lib/httpClient.js). */
    interface Client extends EventEmitter {
      /** The requests that were sent on this connection and have no response yet. */
      pipelinedRequests: { clear(): void };
      _connect(): void;
      _doRequest(): void;
      on(event: "headers", listener: (head: { headers: string[] }) => void): this;
      on(event: "response" | "request" | "timeout" | "connError", listener: () => void): this;
    }
  }

  function autocannon(options: Options, done: (error: Error | null) => void): Instance;
  export = autocannon;
}
