import { credentials } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

export interface EngineLog {
  /** Shows a line under its resource; silent without an engine. */
  line(urn: string, text: string): void;
  attach(address: string): void;
}

/** The engine's own log, which is how a plugin says something to the person who runs the CLI. */
export function engineLog(address: string | undefined): EngineLog {
  let client = address ? new EngineClient(address, credentials.createInsecure()) : undefined;
  return {
    line(urn, text) {
      const request = new LogRequest();
      request.setUrn(urn);
      request.setMessage(text);
      request.setSeverity(LogSeverity.INFO);
      // A line that gets lost is no reason to fail a step.
      client?.log(request, () => {});
    },
    attach(engine) {
      client = new EngineClient(engine, credentials.createInsecure());
    },
  };
}
