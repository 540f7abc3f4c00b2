import { readFileSync } from "node:fs";
import { CloudError, connect } from "../client";
import type { Json } from "../provider";
import type { FieldManager } from "./managed-fields";
import type { KubernetesObject, ObjectReference } from "./object";
import { isMap } from "./property-diff";
import { openStore } from "./store";
import { resourceName } from "./validation";

/** The result of a call of kubectl: its output, or the message of its error. */
export type Changed = { readonly out: string } | { readonly error: string };

/** The kinds that `kubectl delete` knows, by the names that people type. */
const KINDS: Readonly<Record<string, { group: string; kind: string }>> = {
  jobs: { group: "batch", kind: "Job" },
  configmaps: { group: "", kind: "ConfigMap" },
  secrets: { group: "", kind: "Secret" },
};

const MODES = { create: "create", replace: "update" } as const;

/** Creates or replaces the objects of the standard input, one or a List, in the background process. */
export async function write(
  cloudDir: string,
  namespace: string,
  verb: "create" | "replace",
  json: boolean,
): Promise<Changed> {
  const given = JSON.parse(readFileSync(0, "utf8")) as KubernetesObject & { items?: KubernetesObject[] };
  const objects = given.kind === "List" ? (given.items ?? []) : [given];
  const client = await connect(cloudDir);
  let out = "";
  for (const object of objects) {
    const placed = { ...object, metadata: { ...object.metadata, namespace: object.metadata.namespace ?? namespace } };
    try {
      const written = await client.call("kubernetes.apply", { object: placed, mode: MODES[verb] });
      out += json
        ? `${JSON.stringify(written)}\n`
        : `${written.kind.toLowerCase()}/${written.metadata.name} ${verb}d\n`;
    } catch (error) {
      return { error: messageOf(error) };
    }
  }
  return { out };
}

/** Merges a patch into one object, in the background process (RFC 7386, without the removal of fields). */
export async function mergePatch(
  cloudDir: string,
  resource: string,
  namespace: string,
  patch: string,
): Promise<Changed> {
  const [kind = "", name = ""] = resource.split("/", 2);
  const found = openStore(cloudDir)
    .listAll()
    .find(
      (each) =>
        resourceName(each) === kind &&
        each.metadata.name === name &&
        (each.metadata.namespace ?? namespace) === namespace,
    );
  if (!found) return { error: `Error from server (NotFound): ${kind} "${name}" not found` };
  const object = merged(found as unknown as Json, JSON.parse(patch) as Json) as unknown as KubernetesObject;
  const by: FieldManager = { manager: "kubectl-patch", operation: "Update" };
  const client = await connect(cloudDir);
  try {
    await client.call("kubernetes.apply", { object, mode: "update", by });
  } catch (error) {
    return { error: messageOf(error) };
  }
  return { out: `${resource} patched\n` };
}

function merged(value: Json, patch: Json): Json {
  if (!isMap(patch)) return patch;
  const own = isMap(value) ? value : {};
  const changed = Object.entries(patch).map(([key, each]) => [key, merged(own[key] ?? null, each)] as const);
  return { ...own, ...Object.fromEntries(changed) };
}

/** Deletes objects without waiting for their end, in the background process. Those that are missing are ignored. */
export async function remove(cloudDir: string, resource: string, names: string[], namespace: string): Promise<Changed> {
  const kind = KINDS[resource];
  if (!kind) return { error: `the local cloud's kubectl deletes ${Object.keys(KINDS).join(", ")} only` };
  const client = await connect(cloudDir);
  for (const name of names) {
    const reference: ObjectReference = { ...kind, namespace, name };
    // The background process reports an object that is still being deleted after this time, which is no error here.
    await client.call("kubernetes.delete", { reference, timeoutSeconds: 0 }).catch((error) => {
      if (!/still being deleted/.test(messageOf(error))) throw error;
    });
  }
  return { out: names.map((name) => `${resource} "${name}" deleted\n`).join("") };
}

function messageOf(error: unknown): string {
  if (error instanceof CloudError) return `Error from server: ${error.message}`;
  throw error;
}
