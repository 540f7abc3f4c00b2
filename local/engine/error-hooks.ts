import { credentials } from "@grpc/grpc-js";
import { CallbacksClient } from "@pulumi/pulumi/proto/callback_grpc_pb";
import { CallbackInvokeRequest } from "@pulumi/pulumi/proto/callback_pb";
import { ErrorHookRequest, ErrorHookResponse } from "@pulumi/pulumi/proto/resource_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import type { Properties } from "../cloud/provider";
import type { Deployment } from "./deployment";
import { isInitError, type Step } from "./step";
import { urnName, urnType } from "./urn";

/** A function of the program, which the engine calls at the program's own callback server. */
export interface Callback {
  target: string;
  token: string;
}

type Operation = "create" | "update" | "delete";

/** A creation has no resource of before, a deletion none of afterwards. */
type Attempted = Pick<Step, "urn" | "old" | "next">;

/** An operation is done this often at most, as in the CLI (pkg/resource/deploy/retries.go). */
const MOST_TRIES = 100;

/** The hooks `onError` that the program has registered, by name (pkg/resource/deploy/resource_hooks.go). */
export class ErrorHooks {
  private readonly callbacks = new Map<string, Callback>();

  register(name: string, callback: Callback): void {
    if (name === "") throw new Error("resource hook name cannot be empty");
    if (this.callbacks.has(name)) throw new Error(`resource hook already registered for name "${name}"`);
    this.callbacks.set(name, callback);
  }

  /** Whether one of these hooks wants the operation to be done again. Throws when one of them fails. */
  async wantRetry(names: string[], request: ErrorHookRequest): Promise<boolean> {
    let retry = false;
    for (const name of names) {
      const callback = this.callbacks.get(name);
      if (!callback) throw new Error(`error hook "${name}" was not registered`);
      try {
        retry = (await invoke(callback, request)) || retry;
      } catch (error) {
        throw new Error(`error hook "${name}" failed: ${(error as Error).message}`);
      }
    }
    return retry;
  }
}

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

/** Waits for as long as the hook takes. A program that is killed meanwhile ends the call with an error. */
function invoke({ target, token }: Callback, request: ErrorHookRequest): Promise<boolean> {
  const client = new CallbacksClient(target, credentials.createInsecure(), {
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
  });
  const call = new CallbackInvokeRequest();
  call.setToken(token);
  call.setRequest(request.serializeBinary());
  return new Promise<boolean>((resolve, reject) => {
    client.invoke(call, (problem, answer) => {
      if (problem) return reject(problem);
      const response = ErrorHookResponse.deserializeBinary(answer.getResponse_asU8());
      if (response.getError() !== "") return reject(new Error(response.getError()));
      resolve(response.getRetry());
    });
  }).finally(() => client.close());
}

function struct(properties: Properties | undefined): Struct {
  return Struct.fromJavaScript((properties ?? {}) as { [key: string]: JavaScriptValue });
}
