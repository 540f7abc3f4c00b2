import { readFileSync } from "node:fs";
import { CloudError, connect } from "../client";
import type { KubernetesObject, ObjectReference } from "./object";

/** The result of a call of kubectl: its output, or the message of its error. */
export type Changed = { readonly out: string } | { readonly error: string };

/** The kinds that `kubectl delete` knows, by the names that people type. */
const KINDS: Readonly<Record<string, { group: string; kind: string }>> = {
  jobs: { group: "batch", kind: "Job" },
  configmaps: { group: "", kind: "ConfigMap" },
  secrets: { group: "", kind: "Secret" },
};

/** Creates the objects of the standard input, one or a List, in the background process. */
export async function create(cloudDir: string, namespace: string, json: boolean): Promise<Changed> {
  const given = JSON.parse(readFileSync(0, "utf8")) as KubernetesObject & { items?: KubernetesObject[] };
  const objects = given.kind === "List" ? (given.items ?? []) : [given];
  const client = await connect(cloudDir);
  let out = "";
  for (const object of objects) {
    const placed = { ...object, metadata: { ...object.metadata, namespace: object.metadata.namespace ?? namespace } };
    try {
      const created = await client.call("kubernetes.apply", { object: placed, mode: "create" });
      out += json ? `${JSON.stringify(created)}\n` : `${created.kind.toLowerCase()}/${created.metadata.name} created\n`;
    } catch (error) {
      return { error: messageOf(error) };
    }
  }
  return { out };
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
