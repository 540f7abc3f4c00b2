import { ErrorHookRequest } from "@pulumi/pulumi/proto/resource_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { isInitError, type Properties } from "../cloud/provider";
import type { Deployment } from "./deployment";
import type { ResourceState } from "./state";
import { urnName, urnType } from "./urn";

type Operation = "create" | "update" | "delete";

/** The resource that an operation is done to. A creation has no `old`, a deletion no `next`. */
interface Attempted {
  urn: string;
  old?: ResourceState;
  next?: ResourceState;
}

/** The largest number of attempts at one operation, as in the CLI (pkg/resource/deploy/retries.go). */
const MOST_TRIES = 100;

/**
 * Does an operation of a provider and retries it for as long as the resource's `onError` hooks ask for it.
 * @throws the operation's error, or that of a failed hook; a hook's error is ignored for a deletion and for a resource
 * that exists but is not healthy (pkg/resource/deploy/step.go)
 */
export async function withErrorHooks<T>(
  attempted: Attempted,
  operation: Operation,
  deployment: Deployment,
  attempt: () => Promise<T>,
): Promise<T> {
  const { urn, old, next } = attempted;
  const names = (next ?? old)?.resourceHooks?.OnError ?? [];
  const failures: string[] = [];
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (names.length === 0) throw error;
      failures.unshift((error as Error).message);
      if (failures.length >= MOST_TRIES) {
        deployment.diagnose("warning", `maximum number of error hook retries (${MOST_TRIES}) reached`, urn);
        throw new Error("maximum number of error hook retries reached");
      }
      const request = requestOf(attempted, operation, failures);
      const retry = await deployment.errorHooks.wantRetry(names, request).catch((problem: Error) => {
        if (operation === "delete" || isInitError(error)) return false;
        throw new Error(`error hooks execution failed: ${problem.message}`);
      });
      if (!retry) throw error;
      const count = `${failures.length}/${MOST_TRIES}`;
      deployment.diagnose("warning", `retrying ${operation} due to on-error hook request (${count})`, urn);
    }
  }
}

/** The request in the format of the SDK's `ErrorHookArgs`. Secrets in the properties stay marked as secrets. */
function requestOf({ urn, old, next }: Attempted, operation: Operation, failures: string[]): ErrorHookRequest {
  const request = new ErrorHookRequest();
  request.setUrn(urn);
  request.setName(urnName(urn));
  request.setType(urnType(urn));
  request.setId(old?.id ?? "");
  if (next) request.setNewInputs(struct(next.inputs));
  if (old) {
    request.setOldInputs(struct(old.inputs));
    request.setOldOutputs(struct(old.outputs));
  }
  request.setFailedOperation(operation);
  request.setErrorsList(failures);
  return request;
}

function struct(properties: Properties | undefined): Struct {
  return Struct.fromJavaScript((properties ?? {}) as { [key: string]: JavaScriptValue });
}
