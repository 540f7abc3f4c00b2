import { ErrorHookRequest } from "@pulumi/pulumi/proto/resource_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { isInitError, type Properties } from "../cloud/provider";
import type { Deployment } from "./deployment";
import type { ResourceState } from "./state";
import { urnName, urnType } from "./urn";

type Operation = "create" | "update" | "delete";

/** A creation has no resource of before, a deletion none of afterwards. */
interface Attempted {
  urn: string;
  old?: ResourceState;
  next?: ResourceState;
}

/** An operation is done this often at most, as in the CLI (pkg/resource/deploy/retries.go). */
const MOST_TRIES = 100;

/**
 * Does an operation of a provider, and again for as long as the resource's hooks `onError` ask for it. An error of a hook
 * takes the place of the operation's, unless the resource exists by then (pkg/resource/deploy/step.go).
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

/** In the words of the program's SDK (`ErrorHookArgs`): inputs as they travel, secrets marked as such. */
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
