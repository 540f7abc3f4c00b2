import { randomBytes } from "node:crypto";
import { type Client, CloudError, connect } from "../client";
import {
  type CheckRequest,
  type CheckResult,
  type CreateRequest,
  InitError,
  type Json,
  type Properties,
  type Provider,
  type ReadRequest,
  type ReadResult,
  type UpdateRequest,
} from "../provider";
import type { ApplyMode } from "./api-server";
import { readyCheck } from "./await";
import { diffObjects } from "./diff";
import { withIgnoredFields } from "./ignored-fields";
import type { FieldManager } from "./managed-fields";
import { groupOf, isClusterScoped, type KubernetesObject, type ObjectReference, referenceTo } from "./object";
import { hasUnknown, isMap, prune } from "./property-diff";
import { AUTONAMED, annotation } from "./replacement";
import type { AwaitResult } from "./service";
import { openStore } from "./store";

export interface KubernetesProviderOptions {
  /**
   * Whether creating an object that exists takes it over instead of failing. The real provider has a setting of this
   * name (`kubernetes:upsertExistingObjects`, since 4.29; its default is false). A command needs it to continue after
   * it was killed between the creation of an object and its entry in the state. Default: true.
   */
  upsertExistingObjects?: boolean;
}

/** The field manager. The real provider adds a random part to its name and stores it in the state. */
const PULUMI: FieldManager = { manager: "pulumi-kubernetes", operation: "Apply" };

/** The real provider's default timeout in seconds. */
const DEFAULT_TIMEOUT = 600;
const TIMEOUT_ANNOTATION = "pulumi.com/timeoutSeconds";

/**
 * Pulumi's Kubernetes provider for the local cloud, with the same inputs, replacements, waiting and messages
 * (pulumi-kubernetes 4.32).
 */
export function createKubernetesProvider(cloudDir: string, options: KubernetesProviderOptions = {}): Provider {
  const mode: ApplyMode = (options.upsertExistingObjects ?? true) ? "upsert" : "create";
  return {
    check: async (request) => check(request),
    diff: async (request) => diffObjects(request),

    async create(request) {
      const { urn, inputs, preview } = request;
      if (preview) return { id: "", outputs: inputs };
      const client = await connect(cloudDir);
      const object = await apply(
        client,
        request,
        mode,
        (why) => `resource "${urn}" was not successfully created by the Kubernetes API server: ${why}`,
      );
      const id = idOf(object);
      const opening = `resource "${urn}" was successfully created, but the Kubernetes API server reported that it failed to fully initialize or become live`;
      return { id, outputs: await whenReady(client, object, request, id, opening) };
    },

    async update(request) {
      const { urn, id, inputs, preview } = request;
      if (preview) return previewUpdate(request);
      const client = await connect(cloudDir);
      const live = await client.call("kubernetes.get", referenceFrom(urn, id, request.olds));
      const manager = managerOf(inputs, live);
      const applied = live ? withIgnoredFields(inputs, live, manager, request.ignoreChanges ?? []) : inputs;
      const object = await apply(
        client,
        { ...request, inputs: applied, manager },
        "update",
        (why) => `update of resource "${urn}" failed: ${why}`,
      );
      const opening = `the Kubernetes API server reported that "${id}" failed to fully initialize or become live`;
      return whenReady(client, object, { ...request, inputs }, id, opening);
    },

    read: async (request) => read(cloudDir, request),

    async delete({ urn, id, olds, timeout, signal }) {
      const reference = referenceFrom(urn, id, olds);
      // An object that is not in the store is gone already, so the background process is not needed.
      if (!openStore(cloudDir).get(reference)) return;
      const client = await connect(cloudDir);
      const timeoutSeconds = timeout || DEFAULT_TIMEOUT;
      await client.call("kubernetes.delete", { reference, timeoutSeconds }, { signal });
    },

    invoke: async ({ token }) => {
      throw new Error(`The local cloud has no function ${token}.`);
    },
  };
}

/** Generates a name if there is none, and adds the type's `apiVersion` and `kind`. */
function check({ urn, olds, news }: CheckRequest): CheckResult {
  const { apiVersion, kind } = typeOf(urn);
  const metadata = isMap(news["metadata"]) ? { ...news["metadata"] } : {};
  if (news["metadata"] !== undefined && !isMap(news["metadata"]))
    return { inputs: { apiVersion, kind, ...news }, failures: [] };
  if (metadata["generateName"] !== undefined && metadata["name"] === undefined) {
    const reason = "the `.metadata.generateName` field is not supported in Server-Side Apply mode";
    return { inputs: news, failures: [{ property: "metadata.generateName", reason }] };
  }
  const old = isMap(olds?.["metadata"]) ? olds["metadata"] : undefined;
  const wasAutonamed = isMap(old?.["annotations"]) && old["annotations"][AUTONAMED] === "true";
  if (metadata["name"] === undefined && (!olds || wasAutonamed)) {
    metadata["name"] = wasAutonamed && old?.["name"] ? old["name"] : `${nameIn(urn)}-${randomBytes(4).toString("hex")}`;
    metadata["annotations"] = {
      ...(isMap(metadata["annotations"]) ? metadata["annotations"] : {}),
      [AUTONAMED]: "true",
    };
  }
  if (metadata["namespace"] === undefined && !isClusterScoped(kind)) metadata["namespace"] = "default";
  return { inputs: { apiVersion, kind, ...news, metadata }, failures: [] };
}

async function apply(
  client: Client,
  { inputs, signal, manager = managerOf(inputs) }: CreateRequest & { manager?: string },
  mode: ApplyMode,
  failure: (why: string) => string,
): Promise<KubernetesObject> {
  try {
    const force = annotation(inputs, "pulumi.com/patchForce") === "true";
    const parameters = { object: inputs as Properties & KubernetesObject, mode, by: { ...PULUMI, manager, force } };
    return await client.call("kubernetes.apply", parameters, { signal });
  } catch (error) {
    if (error instanceof CloudError) throw new Error(failure(error.message));
    throw error;
  }
}

/**
 * The name of the field manager: the one that an annotation gives, or the one that applied the object before. The real
 * provider keeps the latter in the state.
 */
function managerOf(inputs: Properties, live?: KubernetesObject): string {
  const entries = (live?.metadata["managedFields"] ?? []) as FieldManager[];
  const before = entries.find(({ manager, operation }) => operation === "Apply" && manager.startsWith("pulumi"));
  return annotation(inputs, "pulumi.com/patchFieldManager") ?? before?.manager ?? PULUMI.manager;
}

/** Waits for the object as the real provider does. @throws InitError when the object exists but is not ready */
async function whenReady(
  client: Client,
  object: KubernetesObject,
  { inputs, timeout, signal }: CreateRequest,
  id: string,
  opening: string,
): Promise<Properties> {
  const annotated =
    isMap(inputs["metadata"]) && isMap(inputs["metadata"]["annotations"])
      ? inputs["metadata"]["annotations"][TIMEOUT_ANNOTATION]
      : undefined;
  const timeoutSeconds = timeout || Number(annotated) || DEFAULT_TIMEOUT;
  const reference = referenceTo(object);
  const { name } = object.metadata;
  const waiting = client.call("kubernetes.awaitReady", { reference, timeoutSeconds }, { signal });
  const result = await waiting.catch(async (error): Promise<AwaitResult> => {
    if (!signal?.aborted) throw error;
    // The user asked to stop, so the object's current state goes into the stack's state.
    const now = await client.call("kubernetes.get", reference);
    return { outcome: "cancelled", object: now ?? object, reasons: [] };
  });
  if (result.outcome === "ready") return outputsOf(result.object ?? object);
  const why = {
    failed: `Resource '${name}' was created but failed to initialize`,
    "timed-out": `'${name}' timed out waiting to be Ready`,
    cancelled: `Resource operation was cancelled for "${name}"`,
    deleted: `Resource '${name}' was deleted while it was waited for`,
  }[result.outcome];
  throw new InitError(id, outputsOf(result.object ?? object), [`${opening}: ${why}`, ...result.reasons]);
}

/** Reads an object from the files. @throws InitError with the reasons if it is not ready, as the real provider does */
function read(cloudDir: string, { urn, id, inputs, olds }: ReadRequest): ReadResult | undefined {
  const store = openStore(cloudDir);
  const object = store.get(referenceFrom(urn, id, olds));
  if (!object || object.metadata.deletionTimestamp) return undefined;
  const outputs = outputsOf(object);
  const known = Object.keys(inputs).length > 0;
  const liveInputs = known ? (prune(withStringData(outputs, inputs), inputs) as Properties) : inputsFrom(outputs);
  const readyNow = known ? readyCheck(store, object) : undefined;
  if (readyNow && readyNow.verdict(object) !== "ready") {
    const reasons = [
      `Resource '${object.metadata.name}' was created but failed to initialize`,
      ...readyNow.reasons(object),
    ];
    throw new InitError(id, outputs, reasons);
  }
  return { id, inputs: liveInputs, outputs };
}

/** Restores a Secret's `stringData` from `data`, so that it counts as unchanged if both have the same content. */
function withStringData(live: Properties, inputs: Properties): Properties {
  if (live["kind"] !== "Secret" || !isMap(inputs["stringData"]) || !isMap(live["data"])) return live;
  const data = live["data"];
  const current = Object.keys(inputs["stringData"]).flatMap((key): [string, Json][] =>
    typeof data[key] === "string" ? [[key, Buffer.from(data[key], "base64").toString("utf8")]] : [],
  );
  return { ...live, stringData: Object.fromEntries(current) };
}

/** The inputs of an object that was never in the state (`.get`, import): all fields that not only the server sets. */
function inputsFrom(outputs: Properties): Properties {
  const { status: _, metadata, ...rest } = outputs;
  const { uid, resourceVersion, creationTimestamp, generation, managedFields, ...own } = metadata as Properties;
  return { ...rest, metadata: own };
}

function previewUpdate({ inputs, olds }: UpdateRequest): Properties {
  if (hasUnknown(inputs)) return inputs;
  const metadata = {
    ...(isMap(olds["metadata"]) ? olds["metadata"] : {}),
    ...(isMap(inputs["metadata"]) ? inputs["metadata"] : {}),
  };
  return { ...inputs, metadata, ...(olds["status"] === undefined ? {} : { status: olds["status"] }) };
}

function outputsOf(object: KubernetesObject): Properties {
  return object as unknown as Properties;
}

function idOf(object: KubernetesObject): string {
  const { namespace, name } = referenceTo(object);
  return namespace ? `${namespace}/${name}` : name;
}

function referenceFrom(urn: string, id: string, olds: Properties): ObjectReference {
  const { apiVersion, kind } = typeOf(urn);
  const [name = "", namespace = isClusterScoped(kind) ? "" : "default"] = id.split("/").reverse();
  return { group: groupOf(String(olds["apiVersion"] ?? apiVersion)), kind, namespace, name };
}

/** Splits a URN: `urn:pulumi:stack::project::parent$kubernetes:apps/v1:Deployment::name` → `apps/v1`, `Deployment`. */
function typeOf(urn: string): { apiVersion: string; kind: string } {
  const type = urn.split("::")[2]?.split("$").at(-1) ?? "";
  const [, groupVersion = "", kind = ""] = type.split(":");
  return { apiVersion: groupVersion.replace(/^core\//, ""), kind };
}

function nameIn(urn: string): string {
  return urn.split("::").slice(3).join("::");
}
