import { readFileSync, writeSync } from "node:fs";
import { parseArgs } from "node:util";
import { CloudError, connect } from "../client";
import { CLOUD_VARIABLE } from "../command/tools";
import type { PatchOperation } from "./json-patch";
import { type Changed, mergePatch, remove, write } from "./kubectl-changes";
import { follow } from "./kubectl-follow";
import { type KubernetesObject, referenceTo } from "./object";
import { containerLog } from "./pod-directory";
import { openStore, type Store } from "./store";
import { resourceName } from "./validation";

/**
 * Runs `kubectl logs job/NAME` (or `pod/NAME`, `NAME`), `kubectl get KINDS.GROUP/NAME…` or `kubectl get KINDS.GROUP,…
 * [--selector=LABEL=VALUE,…]` with `--output=json`, and `kubectl patch KINDS.GROUP/NAME --type=json --patch-file=FILE` on
 * the local cloud, with kubectl's own messages and exit status for missing objects. It also knows what `npm run ops`
 * uses. Only changes need the background process; the rest reads files.
 */
export async function kubectl(words: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const cloudDir = env[CLOUD_VARIABLE];
  if (!cloudDir) return fail(`${CLOUD_VARIABLE} is not set: this kubectl serves the commands of a local release only`);
  const { values, positionals } = parseArgs({
    args: words,
    options: {
      namespace: { type: "string", short: "n", default: "default" },
      tail: { type: "string", default: "-1" },
      // The next three options are ignored, because there is only one cluster and it answers at once.
      context: { type: "string" },
      kubeconfig: { type: "string" },
      "request-timeout": { type: "string" },
      "ignore-not-found": { type: "boolean", default: false },
      "show-managed-fields": { type: "boolean", default: false },
      output: { type: "string", short: "o", default: "" },
      selector: { type: "string", short: "l" },
      type: { type: "string", default: "" },
      "patch-file": { type: "string", default: "" },
      patch: { type: "string", default: "" },
      filename: { type: "string", short: "f", default: "" },
      cascade: { type: "string", default: "" },
      wait: { type: "string", default: "" },
      container: { type: "string", short: "c" },
      follow: { type: "boolean", default: false },
      timestamps: { type: "boolean", default: false },
      "since-time": { type: "string" },
      "field-selector": { type: "string" },
    },
    allowPositionals: true,
    strict: false,
  });
  const [verb, what, ...others] = positionals;
  if (verb === "patch" && what?.includes("/") && values.type === "json")
    return patch(cloudDir, what, String(values.namespace), String(values["patch-file"]));
  const changed = await ofOps(cloudDir, [verb, what, ...others], values);
  if (changed !== undefined) return changed;
  if (verb === "get" && what?.includes("/") && values.output === "json")
    return get(openStore(cloudDir), [what, ...others], String(values.namespace), {
      ignoreNotFound: values["ignore-not-found"] === true,
      managedFields: values["show-managed-fields"] === true,
    });
  if (verb === "get" && isListed(what) && others.length === 0 && values.output === "json")
    return list(openStore(cloudDir), what, String(values.namespace), {
      selector: String(values.selector ?? ""),
      managedFields: values["show-managed-fields"] === true,
    });
  if (verb !== "logs" || what === undefined || others.length > 0)
    return fail(
      "the local cloud's kubectl knows `logs job/NAME`, `logs NAME`, `get KINDS.GROUP/NAME… -o json`, `get KINDS.GROUP,… -l LABEL=VALUE -o json` and `patch … --type=json` only; for more: npm run local -- help",
    );
  const [kind, name] = what.includes("/") ? (what.split("/", 2) as [string, string]) : ["pod", what];
  return logs(cloudDir, kind, name, String(values.namespace), Number(values.tail));
}

/** Runs what `npm run ops` uses, which ends with an exit status; undefined for any other command. */
async function ofOps(
  cloudDir: string,
  [verb, what, ...others]: (string | undefined)[],
  values: Readonly<Record<string, unknown>>,
): Promise<number | undefined> {
  const namespace = String(values["namespace"]);
  const names = others.filter((each) => each !== undefined);
  if ((verb === "create" || verb === "replace") && values["filename"] === "-")
    return answered(await write(cloudDir, namespace, verb, values["output"] === "json"));
  if (what === undefined) return undefined;
  if (verb === "patch" && values["type"] === "merge")
    return answered(await mergePatch(cloudDir, what, namespace, String(values["patch"])));
  if (verb === "get" && what.startsWith("secrets/")) return secret(cloudDir, what, namespace, values);
  if (verb === "delete" && values["wait"] === "false") return answered(await remove(cloudDir, what, names, namespace));
  if (verb === "logs" && values["follow"] === true && values["timestamps"] === true) {
    const since = values["since-time"] === undefined ? undefined : String(values["since-time"]);
    const pod = { name: what, namespace, container: String(values["container"]) };
    await follow(cloudDir, pod, since, (text) => print(1, text));
    return 0;
  }
  if (verb !== "get" || what !== "jobs" || names.length !== 1) return undefined;
  const show = { ignoreNotFound: values["ignore-not-found"] === true, managedFields: false };
  return get(openStore(cloudDir), [`jobs.batch/${names[0]}`], namespace, show);
}

/** Whether all objects of these kinds can be read. This cloud makes no events, and shows no Secrets. */
function isListed(what: string | undefined): what is string {
  return (
    what !== undefined && (["pods", "events", "jobs"].includes(what) || /^\w+(\.[\w.]+)?(,\w+(\.[\w.]+)?)+$/.test(what))
  );
}

/** Prints a Secret. It stands in no list, so that nothing prints one that isn't asked for by its name. */
function secret(
  cloudDir: string,
  resource: string,
  namespace: string,
  values: Readonly<Record<string, unknown>>,
): number {
  const name = resource.slice("secrets/".length);
  const found = openStore(cloudDir).get({ group: "", kind: "Secret", namespace, name });
  if (!found) return values["ignore-not-found"] === true ? 0 : notFound("secrets", name);
  print(1, `${JSON.stringify(withoutManagedFields(found))}\n`);
  return 0;
}

/** Prints all objects of some kinds that have a label, `NAME=VALUE`, as JSON. */
function list(
  store: Store,
  resources: string,
  namespace: string,
  show: { selector: string; managedFields: boolean },
): number {
  const wanted = resources.split(",").map((each) => (each === "jobs" ? "jobs.batch" : each));
  const selected = show.selector.split(",").map((each) => each.split("=", 2));
  const items = store
    .listAll()
    .filter((each) => wanted.includes(resourceName(each)) && matches(each, namespace))
    .filter(({ metadata }) =>
      selected.every(([label = "", value]) => label === "" || metadata.labels?.[label] === value),
    )
    .map((each) => (show.managedFields ? each : withoutManagedFields(each)));
  print(1, `${JSON.stringify({ apiVersion: "v1", kind: "List", items })}\n`);
  return 0;
}

/** Prints objects as JSON; Secrets are never found. */
function get(
  store: Store,
  resources: string[],
  namespace: string,
  show: { ignoreNotFound: boolean; managedFields: boolean },
): number {
  const known = store.listAll();
  const items: KubernetesObject[] = [];
  for (const resource of resources) {
    const [kind = "", name = ""] = resource.split("/", 2);
    const found = known.find((each) => resourceName(each) === kind && matches(each, namespace, name));
    if (found) items.push(show.managedFields ? found : withoutManagedFields(found));
    else if (!show.ignoreNotFound) return notFound(kind, name);
  }
  const answer = resources.length === 1 ? items[0] : { apiVersion: "v1", kind: "List", items };
  if (items.length > 0) print(1, `${JSON.stringify(answer)}\n`);
  return 0;
}

/** Whether an object is in the namespace and, if a name is given, has that name. */
function matches({ metadata }: KubernetesObject, namespace: string, name = metadata.name): boolean {
  return metadata.name === name && (metadata.namespace ?? namespace) === namespace;
}

/** Patches one object, in the background process. */
async function patch(cloudDir: string, resource: string, namespace: string, file: string): Promise<number> {
  const [kind = "", name = ""] = resource.split("/", 2);
  const found = openStore(cloudDir)
    .listAll()
    .find((each) => resourceName(each) === kind && matches(each, namespace, name));
  if (!found) return notFound(kind, name);
  const operations = JSON.parse(readFileSync(file, "utf8")) as PatchOperation[];
  const client = await connect(cloudDir);
  try {
    await client.call("kubernetes.patch", { reference: referenceTo(found), operations });
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    return fail(`Error from server: ${error.message}`);
  }
  print(1, `${resource} patched\n`);
  return 0;
}

function answered(changed: Changed): number {
  if ("error" in changed) return fail(changed.error);
  print(1, changed.out);
  return 0;
}

function withoutManagedFields(object: KubernetesObject): KubernetesObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function logs(cloudDir: string, kind: string, name: string, namespace: string, tail: number): number {
  const store = openStore(cloudDir);
  const ofJob = /^jobs?(\.batch)?$/.test(kind);
  if (ofJob && !store.get({ group: "batch", kind: "Job", namespace, name })) return notFound("jobs.batch", name);
  const pods = store.list("", "Pod", namespace);
  const pod = pods.find(({ metadata }) =>
    ofJob
      ? metadata.ownerReferences?.some((owner) => owner.kind === "Job" && owner.name === name)
      : metadata.name === name,
  );
  if (!pod) return ofJob ? fail("timed out waiting for the condition") : notFound("pods", name);
  const [container] = pod["spec"].containers as { name: string }[];
  const lines = readFileSync(containerLog(cloudDir, pod.metadata, container!.name), "utf8").split("\n");
  const wanted = tail < 0 ? lines : lines.slice(-(tail + 1));
  print(1, wanted.join("\n"));
  return 0;
}

function notFound(resource: string, name: string): number {
  return fail(`Error from server (NotFound): ${resource} "${name}" not found`);
}

function fail(message: string): number {
  print(2, `${message.startsWith("Error") ? "" : "error: "}${message}\n`);
  return 1;
}

/** Writes the whole text synchronously, because the process ends afterwards. */
function print(descriptor: number, text: string): void {
  for (let bytes = Buffer.from(text); bytes.length > 0; ) {
    try {
      bytes = bytes.subarray(writeSync(descriptor, bytes));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
}
