import { credentials } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

export interface EngineLog {
  /** Shows a line below its resource; does nothing without an engine. */
  line(urn: string, text: string): void;
  attach(address: string): void;
}

/** The engine's log, through which a plugin shows messages to the user of the CLI. */
export function engineLog(address: string | undefined): EngineLog {
  let client = address ? new EngineClient(address, credentials.createInsecure()) : undefined;
  return {
    line(urn, text) {
      const request = new LogRequest();
      request.setUrn(urn);
      request.setMessage(text);
      request.setSeverity(LogSeverity.INFO);
      // A lost line must not fail the step, so an error is ignored.
      client?.log(request, () => {});
    },
    attach(engine) {
      client = new EngineClient(engine, credentials.createInsecure());
    },
  };
}
