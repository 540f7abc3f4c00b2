import { credentials, type ServiceError } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { InitError, type Provider, UNKNOWN } from "../../../local/cloud/provider";
import { type ServedProvider, servePlugin } from "../../../local/plugin/server";

const URN = "urn:pulumi:local::release::kubernetes:core/v1:ConfigMap::settings";
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const secret = (value: any) => ({ [SIGNATURE]: "1b47061264138c4ac30d75fd1eb44270", value });

let served: ServedProvider;
let client: ResourceProviderClient;
let asked: { method: string; request: any }[];
let answer: Partial<Provider>;

beforeEach(async () => {
  asked = [];
  answer = {};
  const method = (name: keyof Provider, otherwise: any) => async (request: any) => {
    asked.push({ method: name, request });
    const given = answer[name] as ((request: any) => any) | undefined;
    return given ? given(request) : otherwise;
  };
  const provider = {
    check: method("check", { inputs: {}, failures: [] }),
    diff: method("diff", { changes: "none", diffs: [], replaces: [], deleteBeforeReplace: false }),
    create: method("create", { id: "default/settings", outputs: { made: true } }),
    update: method("update", { made: true }),
    read: method("read", undefined),
    delete: method("delete", undefined),
    invoke: method("invoke", { found: 1 }),
  } as unknown as Provider;
  served = await servePlugin({ name: "kubernetes", version: "4.34.2", provider });
  client = new ResourceProviderClient(`127.0.0.1:${served.port}`, credentials.createInsecure());
});

afterEach(() => {
  client.close();
  served.close();
});

describe("a provider over the wire", () => {
  test("gets secrets in plain text, every unknown as the one it knows, references as ids", async () => {
    const request = new rpc.CreateRequest();
    request.setUrn(URN);
    request.setTimeout(90);
    request.setPreview(true);
    request.setProperties(
      Struct.fromJavaScript({
        data: { url: secret("postgres://u:p@h/d"), port: "3eeb2bf0-c639-47a8-9e75-3b44932eb421" },
        list: [secret({ deep: secret(1) }), "dd056dcd-154b-4c76-9bd3-c8f88648b5ff"],
        output: { [SIGNATURE]: "d0e6a833031e9bbcd3f4e8bde6ca49a4", value: secret("known") },
        open: { [SIGNATURE]: "d0e6a833031e9bbcd3f4e8bde6ca49a4" },
        reference: { [SIGNATURE]: "5cf8f73096256a8f31e491e813e4eb8e", urn: URN, id: "i-1" },
        nothing: null,
      }),
    );
    const response = await call<rpc.CreateResponse>("create", request);
    expect(response.getId()).toBe("default/settings");
    expect(response.getProperties()?.toJavaScript()).toEqual({ made: true });
    const seen = asked[0]!.request;
    expect(seen).toMatchObject({ urn: URN, timeout: 90, preview: true });
    expect(seen.inputs).toEqual({
      data: { url: "postgres://u:p@h/d", port: UNKNOWN },
      list: [{ deep: 1 }, UNKNOWN],
      output: "known",
      open: UNKNOWN,
      reference: "i-1",
      nothing: null,
    });
  });

  test("is never asked to take a file, and says so before anything is done", async () => {
    const request = new rpc.CreateRequest();
    request.setUrn(URN);
    request.setProperties(
      Struct.fromJavaScript({ file: { [SIGNATURE]: "c44067f5952c0a294b673a41bacd8c17", text: "x" } }),
    );
    const error = await failure(call("create", request));
    expect(error.details).toContain("takes no files");
    expect(asked).toEqual([]);
  });

  test("has old inputs in a check only where there were some", async () => {
    const request = new rpc.CheckRequest();
    request.setUrn(URN);
    request.setOlds(Struct.fromJavaScript({}));
    request.setNews(Struct.fromJavaScript({ a: 1 }));
    answer.check = async ({ news }) => ({ inputs: { ...news, b: 2 }, failures: [{ property: "a", reason: "is odd" }] });
    const response = await call<rpc.CheckResponse>("check", request);
    expect(asked[0]?.request.olds).toBeUndefined();
    expect(response.getInputs()?.toJavaScript()).toEqual({ a: 1, b: 2 });
    expect(response.getFailuresList().map((each) => each.toObject())).toEqual([{ property: "a", reason: "is odd" }]);
    request.setOlds(Struct.fromJavaScript({ a: 0 }));
    await call("check", request);
    expect(asked[1]?.request.olds).toEqual({ a: 0 });
  });

  test("tells of each changed path whether it came, went or changed, and which of them replace", async () => {
    const request = new rpc.DiffRequest();
    request.setUrn(URN);
    request.setId("default/settings");
    request.setOldInputs(Struct.fromJavaScript({ spec: { image: "a", list: [1, 2] }, labels: { "a.b/c": "x" } }));
    request.setNews(Struct.fromJavaScript({ spec: { image: "b", list: [1, 3], extra: true }, labels: {} }));
    request.setIgnorechangesList(["tags"]);
    answer.diff = async () => ({
      changes: "some",
      diffs: ["spec.image", "spec.list[1]", "spec.extra", 'labels["a.b/c"]'],
      replaces: ["spec.image"],
      deleteBeforeReplace: true,
    });
    const response = await call<rpc.DiffResponse>("diff", request);
    expect(asked[0]?.request.ignoreChanges).toEqual(["tags"]);
    expect(response.getChanges()).toBe(rpc.DiffResponse.DiffChanges.DIFF_SOME);
    expect(response.getDeletebeforereplace()).toBe(true);
    expect(response.getDiffsList()).toEqual(["spec", "labels"]);
    expect(response.getReplacesList()).toEqual(["spec"]);
    const kinds = Object.fromEntries(
      response
        .getDetaileddiffMap()
        .toArray()
        .map(([path, diff]: any) => [path, diff[0]]),
    );
    const { ADD, DELETE, UPDATE, UPDATE_REPLACE } = rpc.PropertyDiff.Kind;
    expect(kinds).toEqual({
      "spec.image": UPDATE_REPLACE,
      "spec.list[1]": UPDATE,
      "spec.extra": ADD || undefined,
      'labels["a.b/c"]': DELETE,
    });
  });

  test("keeps a resource that exists but is not healthy: its id, outputs and reasons cross the wire", async () => {
    answer.create = async () => {
      throw new InitError("default/job", { status: "failed" }, ["the pod ended with 1", "see its log"]);
    };
    const error = await failure(call("create", new rpc.CreateRequest()));
    const [packed] = error.metadata.get("grpc-status-details-bin") as Buffer[];
    const [detail] = Status.deserializeBinary(new Uint8Array(packed!)).getDetailsList();
    expect(detail?.getTypeName()).toBe("pulumirpc.ErrorResourceInitFailed");
    const init = rpc.ErrorResourceInitFailed.deserializeBinary(detail!.getValue_asU8());
    expect(init.getId()).toBe("default/job");
    expect(init.getProperties()?.toJavaScript()).toEqual({ status: "failed" });
    expect(init.getReasonsList()).toEqual(["the pod ended with 1", "see its log"]);
  });

  test("a step that fails outright carries its words and nothing else", async () => {
    answer.update = async () => {
      throw new Error("conflict with field manager kubectl");
    };
    const error = await failure(call("update", new rpc.UpdateRequest()));
    expect(error.details).toBe("conflict with field manager kubectl");
    expect(error.metadata.get("grpc-status-details-bin")).toEqual([]);
  });

  test("a read that finds nothing has no id", async () => {
    const response = await call<rpc.ReadResponse>("read", new rpc.ReadRequest());
    expect(response.getId()).toBe("");
    answer.read = async () => ({ id: "found", inputs: { a: 1 }, outputs: { b: 2 } });
    const found = await call<rpc.ReadResponse>("read", new rpc.ReadRequest());
    expect([found.getId(), found.getInputs()?.toJavaScript(), found.getProperties()?.toJavaScript()]).toEqual([
      "found",
      { a: 1 },
      { b: 2 },
    ]);
  });

  test("Cancel reaches the step that is waiting", async () => {
    let begun = () => {};
    const waiting = new Promise<void>((resolve) => {
      begun = resolve;
    });
    answer.create = ({ signal }) =>
      new Promise((_, reject) => {
        signal?.addEventListener("abort", () => reject(new InitError("x", {}, ["cancelled"])));
        begun();
      });
    const creating = failure(call("create", new rpc.CreateRequest()));
    await waiting;
    await call("cancel", new Empty());
    expect((await creating).details).toContain("cancelled");
  });

  test("echoes a provider's settings as they are, secrets included", async () => {
    const request = new rpc.CheckRequest();
    request.setNews(Struct.fromJavaScript({ kubeconfig: secret("apiVersion: v1") }));
    const response = await call<rpc.CheckResponse>("checkConfig", request);
    expect(response.getInputs()?.toJavaScript()).toEqual({ kubeconfig: secret("apiVersion: v1") });
  });

  test("says which version it is, and that previews may ask it", async () => {
    const info = await call<any>("getPluginInfo", new Empty());
    expect(info.getVersion()).toBe("4.34.2");
    const configured = await call<rpc.ConfigureResponse>("configure", new rpc.ConfigureRequest());
    expect(configured.getSupportspreview()).toBe(true);
    expect(configured.getAcceptsecrets()).toBe(false);
  });

  test("is configured before it is used, and says what its settings don't allow", async () => {
    const echo = { ...({} as Provider), invoke: async () => ({ region: "" }) };
    const provider: Provider = {
      ...echo,
      configure({ region }) {
        if (region === "nowhere") throw new Error("there is no such region");
        return { ...echo, invoke: async () => ({ region: region ?? "" }) };
      },
    };
    const own = await servePlugin({ name: "aws", version: "7.48.0", provider });
    const other = new ResourceProviderClient(`127.0.0.1:${own.port}`, credentials.createInsecure());
    const ask = <Response>(method: string, request: object) =>
      new Promise<Response>((resolve, reject) => {
        (other as any)[method](request, (error: ServiceError | null, response: Response) =>
          error ? reject(error) : resolve(response),
        );
      });
    const configure = (region: string) => {
      const request = new rpc.ConfigureRequest();
      request.setArgs(Struct.fromJavaScript({ region }));
      return ask("configure", request);
    };
    try {
      await expect(configure("nowhere")).rejects.toThrow("there is no such region");
      await configure("eu-central-1");
      const request = new rpc.InvokeRequest();
      request.setTok("aws:rds/getInstance:getInstance");
      const answer = await ask<rpc.InvokeResponse>("invoke", request);
      expect(answer.getReturn()?.toJavaScript()).toEqual({ region: "eu-central-1" });
    } finally {
      other.close();
      own.close();
    }
  });
});

function call<Response>(method: string, request: object): Promise<Response> {
  return new Promise((resolve, reject) => {
    (client as any)[method](request, (error: ServiceError | null, response: Response) =>
      error ? reject(error) : resolve(response),
    );
  });
}

function failure(promise: Promise<unknown>): Promise<ServiceError> {
  return promise.then(
    () => Promise.reject(new Error("it should have failed")),
    (error) => error as ServiceError,
  );
}
