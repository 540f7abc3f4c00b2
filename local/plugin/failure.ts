import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { ErrorResourceInitFailed } from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { InitError } from "../cloud/provider";
import { writeProperties } from "./wire";

/**
 * Converts an error for gRPC. An InitError (the resource exists but is not healthy) is put into a detail of the status;
 * without it the engine would not record the resource.
 */
export function failure(error: unknown): Partial<ServiceError> {
  const { message } = error instanceof Error ? error : new Error(String(error));
  if (!(error instanceof InitError)) return { code: status.UNKNOWN, details: message };
  const detail = new ErrorResourceInitFailed();
  detail.setId(error.id);
  detail.setProperties(writeProperties(error.outputs));
  detail.setReasonsList(error.reasons);
  const packed = new Any();
  packed.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const rich = new Status();
  rich.setCode(status.UNKNOWN);
  rich.setMessage(message);
  rich.addDetails(packed);
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(rich.serializeBinary()));
  return { code: status.UNKNOWN, details: message, metadata };
}
