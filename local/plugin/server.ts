import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import type { Provider } from "../cloud/provider";
import { diffResponse } from "./detailed-diff";
import { failure } from "./failure";
import { readOlds, readProperties, writeProperties } from "./wire";

export interface ServedProvider {
  /** The port on 127.0.0.1. */
  port: number;
  close(): void;
}

export interface PluginOptions {
  /** The name of the package that the plugin serves, such as `aws`. */
  name: string;
  /** The version of the package, such as `7.48.0`. */
  version: string;
  provider: Provider;
  /** Called with the address of the engine when it attaches itself. */
  onAttach?(address: string): void;
}

/** Serves a provider as `pulumirpc.ResourceProvider`, the interface of plugins, on a free port of 127.0.0.1. */
export async function servePlugin(given: PluginOptions): Promise<ServedProvider> {
  // The engine configures the provider before it uses it.
  const options = { ...given };
  const server = new Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  server.addService(ResourceProviderService as never, { ...lifecycle(options), ...operations(options) });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { port, close: () => server.forceShutdown() };
}

function lifecycle(options: PluginOptions) {
  const { name, version, onAttach } = options;
  return {
    handshake: unary(async (request: rpc.ProviderHandshakeRequest) => {
      if (request.getEngineAddress() !== "") onAttach?.(request.getEngineAddress());
      return new rpc.ProviderHandshakeResponse();
    }),
    attach: unary(async (request: { getAddress(): string }) => {
      onAttach?.(request.getAddress());
      return new Empty();
    }),
    getPluginInfo: unary(async () => {
      const response = new PluginInfo();
      response.setVersion(version);
      return response;
    }),
    getSchema: unary(async () => {
      const response = new rpc.GetSchemaResponse();
      response.setSchema(JSON.stringify({ name, version }));
      return response;
    }),
    getMapping: unary(async () => new rpc.GetMappingResponse()),
    getMappings: unary(async () => new rpc.GetMappingsResponse()),
    // The inputs are returned unchanged, with secrets. The settings are read when the provider is configured.
    checkConfig: unary(async (request: rpc.CheckRequest) => {
      const response = new rpc.CheckResponse();
      response.setInputs(request.getNews());
      return response;
    }),
    diffConfig: unary(async (request: rpc.DiffRequest) => {
      const oldInputs = readProperties(request.getOldInputs());
      const news = readProperties(request.getNews());
      const names = [...new Set([...Object.keys(oldInputs), ...Object.keys(news)])];
      const diffs = names.filter((key) => JSON.stringify(oldInputs[key]) !== JSON.stringify(news[key]));
      const changes = diffs.length > 0 ? "some" : "none";
      return diffResponse({ changes, diffs, replaces: [], deleteBeforeReplace: false }, oldInputs, news);
    }),
    // The plugin declares no support for secrets, resource references and output values. The engine therefore sends
    // plain values, and marks the returned values as it marked the sent ones.
    configure: unary(async (request: rpc.ConfigureRequest) => {
      options.provider = options.provider.configure?.(readProperties(request.getArgs())) ?? options.provider;
      const response = new rpc.ConfigureResponse();
      response.setSupportspreview(true);
      return response;
    }),
  };
}

function operations(options: PluginOptions) {
  const canceled = new AbortController();
  const { signal } = canceled;
  return {
    cancel: unary(async () => {
      canceled.abort();
      return new Empty();
    }),
    check: unary(async (request: rpc.CheckRequest) => {
      const { inputs, failures } = await options.provider.check({
        urn: request.getUrn(),
        olds: readOlds(request.getOlds()),
        news: readProperties(request.getNews()),
      });
      const response = new rpc.CheckResponse();
      response.setInputs(writeProperties(inputs));
      for (const { property, reason } of failures) {
        const failed = new rpc.CheckFailure();
        failed.setProperty(property);
        failed.setReason(reason);
        response.addFailures(failed);
      }
      return response;
    }),
    diff: unary(async (request: rpc.DiffRequest) => {
      const oldInputs = readProperties(request.getOldInputs());
      const news = readProperties(request.getNews());
      const result = await options.provider.diff({
        urn: request.getUrn(),
        id: request.getId(),
        oldInputs,
        olds: readProperties(request.getOlds()),
        news,
        ignoreChanges: request.getIgnorechangesList(),
      });
      return diffResponse(result, oldInputs, news);
    }),
    create: unary(async (request: rpc.CreateRequest) => {
      const { id, outputs } = await options.provider.create({
        urn: request.getUrn(),
        inputs: readProperties(request.getProperties()),
        timeout: request.getTimeout(),
        preview: request.getPreview(),
        signal,
      });
      const response = new rpc.CreateResponse();
      response.setId(id);
      response.setProperties(writeProperties(outputs));
      return response;
    }),
    update: unary(async (request: rpc.UpdateRequest) => {
      const outputs = await options.provider.update({
        urn: request.getUrn(),
        id: request.getId(),
        inputs: readProperties(request.getNews()),
        oldInputs: readProperties(request.getOldInputs()),
        olds: readProperties(request.getOlds()),
        timeout: request.getTimeout(),
        preview: request.getPreview(),
        signal,
        ignoreChanges: request.getIgnorechangesList(),
      });
      const response = new rpc.UpdateResponse();
      response.setProperties(writeProperties(outputs));
      return response;
    }),
    read: unary(async (request: rpc.ReadRequest) => {
      const found = await options.provider.read({
        urn: request.getUrn(),
        id: request.getId(),
        inputs: readProperties(request.getInputs()),
        olds: readProperties(request.getProperties()),
      });
      const response = new rpc.ReadResponse();
      // A response without an id means that the resource is gone.
      if (!found) return response;
      response.setId(found.id);
      response.setInputs(writeProperties(found.inputs));
      response.setProperties(writeProperties(found.outputs));
      return response;
    }),
    delete: unary(async (request: rpc.DeleteRequest) => {
      await options.provider.delete({
        urn: request.getUrn(),
        id: request.getId(),
        inputs: readProperties(request.getOldInputs()),
        olds: readProperties(request.getProperties()),
        timeout: request.getTimeout(),
        signal,
      });
      return new Empty();
    }),
    invoke: unary(async (request: rpc.InvokeRequest) => {
      const response = new rpc.InvokeResponse();
      const args = readProperties(request.getArgs());
      response.setReturn(
        writeProperties(
          await options.provider.invoke({ token: request.getTok(), args, preview: request.getPreview() }),
        ),
      );
      return response;
    }),
  };
}

function unary<Request, Response>(handle: (request: Request) => Promise<Response>) {
  return (call: ServerUnaryCall<Request, unknown>, reply: sendUnaryData<unknown>) => {
    handle(call.request).then(
      (response) => reply(null, response),
      (error) => reply(failure(error)),
    );
  };
}
