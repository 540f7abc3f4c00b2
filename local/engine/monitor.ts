import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import {
  GetRootResourceResponse,
  type LogRequest,
  LogSeverity,
  RequirePulumiVersionResponse,
  type SetRootResourceRequest,
  SetRootResourceResponse,
} from "@pulumi/pulumi/proto/engine_pb";
import { InvokeResponse } from "@pulumi/pulumi/proto/provider_pb";
import { ResourceMonitorService } from "@pulumi/pulumi/proto/resource_grpc_pb";
import {
  type ReadResourceRequest,
  ReadResourceResponse,
  type RegisterErrorHookRequest,
  type RegisterResourceOutputsRequest,
  type RegisterResourceRequest,
  RegisterResourceResponse,
  type ResourceInvokeRequest,
  Result,
  type SupportsFeatureRequest,
  SupportsFeatureResponse,
} from "@pulumi/pulumi/proto/resource_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import type { Properties } from "../cloud/provider";
import type { Callback } from "./error-hooks";
import { type Goal, parseGoal } from "./goal";
import type { ReadGoal } from "./plan";
import type { ResourceState } from "./state";

/** The requests that the program sends to the engine, independent of the gRPC messages. */
export interface ProgramRequests {
  /** The promise never settles when the registration fails: the engine ends the program instead, as the CLI does. */
  register(goal: Goal): Promise<ResourceState>;
  read(goal: ReadGoal): Promise<ResourceState>;
  outputs(urn: string, outputs: Properties): Promise<void>;
  invoke(goal: InvokeGoal): Promise<Properties>;
  /** @throws Error when a hook of that name is registered already */
  registerErrorHook(name: string, callback: Callback): void;
  log(severity: "info" | "warning" | "error", message: string, urn: string): void;
  /** The program has sent all its registrations; the promise settles when all steps are done. */
  finished(): Promise<void>;
  /** Reports a request that this engine does not support. */
  refuse(error: Error): void;
}

/** A call of a provider's function. */
export interface InvokeGoal {
  token: string;
  args: Properties;
  /** The reference of an explicit provider; empty for the default provider. */
  provider: string;
  /** The version of the package's SDK, which is part of the default provider's name. */
  version: string;
}

/** The engine's features. Without one, the SDK stops with an error or does the work itself (as for aliases). */
const FEATURES = new Set(["secrets", "deletedWith", "errorHooks"]);

type Call<Request> = ServerUnaryCall<Request, unknown>;

/** Serves `pulumirpc.ResourceMonitor` and `pulumirpc.Engine` on a free port of 127.0.0.1. */
export async function serveMonitor(requests: ProgramRequests): Promise<{ address: string; close(): void }> {
  const server = new Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  server.addService(ResourceMonitorService as never, monitor(requests));
  server.addService(EngineService as never, engine(requests));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { address: `127.0.0.1:${port}`, close: () => server.forceShutdown() };
}

function monitor(requests: ProgramRequests) {
  return {
    supportsFeature: unary(async (request: SupportsFeatureRequest) => {
      const response = new SupportsFeatureResponse();
      response.setHassupport(FEATURES.has(request.getId()));
      return response;
    }),
    registerResource: unary((request: RegisterResourceRequest) => {
      try {
        return requests.register(parseGoal(request)).then(registered);
      } catch (error) {
        requests.refuse(error as Error);
        return unanswered();
      }
    }),
    readResource: unary(async (request: ReadResourceRequest) => {
      const state = await requests.read({
        type: request.getType(),
        name: request.getName(),
        id: request.getId(),
        parent: request.getParent(),
        properties: properties(request.getProperties()),
        dependencies: request.getDependenciesList(),
        provider: request.getProvider(),
        version: request.getVersion(),
        additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
      });
      const response = new ReadResourceResponse();
      response.setUrn(state.urn);
      response.setProperties(struct(state.outputs ?? {}));
      return response;
    }),
    registerResourceOutputs: unary(async (request: RegisterResourceOutputsRequest) => {
      await requests.outputs(request.getUrn(), properties(request.getOutputs()));
      return new Empty();
    }),
    invoke: unary(async (request: ResourceInvokeRequest) => {
      const response = new InvokeResponse();
      const answer = await requests.invoke({
        token: request.getTok(),
        args: properties(request.getArgs()),
        provider: request.getProvider(),
        version: request.getVersion(),
      });
      response.setReturn(struct(answer));
      return response;
    }),
    registerErrorHook: unary(async (request: RegisterErrorHookRequest) => {
      const callback = request.getCallback();
      requests.registerErrorHook(request.getName(), {
        target: callback?.getTarget() ?? "",
        token: callback?.getToken() ?? "",
      });
      return new Empty();
    }),
    signalAndWaitForShutdown: unary(async () => {
      await requests.finished();
      return new Empty();
    }),
  };
}

function engine(requests: ProgramRequests) {
  let root = "";
  const severities: Record<number, "info" | "warning" | "error"> = {
    [LogSeverity.INFO]: "info",
    [LogSeverity.WARNING]: "warning",
    [LogSeverity.ERROR]: "error",
  };
  return {
    log: unary(async (request: LogRequest) => {
      const severity = severities[request.getSeverity()];
      if (severity && !request.getEphemeral()) requests.log(severity, request.getMessage(), request.getUrn());
      return new Empty();
    }),
    getRootResource: unary(async () => {
      const response = new GetRootResourceResponse();
      response.setUrn(root);
      return response;
    }),
    setRootResource: unary(async (request: SetRootResourceRequest) => {
      root = request.getUrn();
      return new SetRootResourceResponse();
    }),
    requirePulumiVersion: unary(async () => new RequirePulumiVersionResponse()),
  };
}

function registered(state: ResourceState): RegisterResourceResponse {
  const response = new RegisterResourceResponse();
  response.setUrn(state.urn);
  response.setId(state.id ?? "");
  // A local component sets its outputs itself; those of the last run may refer to resources not registered yet.
  response.setObject(struct(state.custom ? (state.outputs ?? {}) : {}));
  response.setResult(Result.SUCCESS);
  return response;
}

function unary<Request, Response>(handle: (request: Request) => Promise<Response>) {
  return (call: Call<Request>, reply: sendUnaryData<unknown>) => {
    handle(call.request).then(
      (response) => reply(null, response),
      (error: Error) => reply({ code: status.UNKNOWN, details: error.message }),
    );
  };
}

function unanswered(): Promise<never> {
  return new Promise(() => {});
}

function properties(value: Struct | undefined): Properties {
  return (value?.toJavaScript() ?? {}) as Properties;
}

function struct(value: Properties): Struct {
  return Struct.fromJavaScript(value as { [key: string]: JavaScriptValue });
}
