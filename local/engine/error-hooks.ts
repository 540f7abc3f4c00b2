import { credentials } from "@grpc/grpc-js";
import { CallbacksClient } from "@pulumi/pulumi/proto/callback_grpc_pb";
import { CallbackInvokeRequest } from "@pulumi/pulumi/proto/callback_pb";
import { type ErrorHookRequest, ErrorHookResponse } from "@pulumi/pulumi/proto/resource_pb";

/** A function of the program. The engine calls it through the callback server that the program runs. */
export interface Callback {
  target: string;
  token: string;
}

/** The `onError` hooks that the program has registered, by name (pkg/resource/deploy/resource_hooks.go). */
export class ErrorHooks {
  private readonly callbacks = new Map<string, Callback>();

  register(name: string, callback: Callback): void {
    if (name === "") throw new Error("resource hook name cannot be empty");
    if (this.callbacks.has(name)) throw new Error(`resource hook already registered for name "${name}"`);
    this.callbacks.set(name, callback);
  }

  /**
   * Whether one of the named hooks asks to retry the failed operation.
   * @throws Error when a hook is not registered or fails
   */
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

/** The call has no timeout. If the program is killed meanwhile, the call ends with an error. */
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
