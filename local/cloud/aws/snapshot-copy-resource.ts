import type { Client } from "../client";
import {
  type CreateRequest,
  type CreateResult,
  type DeleteRequest,
  InitError,
  type Properties,
  type ReadRequest,
  type ReadResult,
  type UpdateRequest,
} from "../provider";
import { defaultRegion, snapshotAttributes, unknownSnapshotAttributes } from "./attributes";
import type { Kind } from "./errors";
import type { Inputs } from "./inputs";
import { actions, authorize, TAG } from "./permissions";
import { keyIn, readSnapshot, type Snapshot } from "./records";
import { defaultTimeout, errors, operationError, unreadable, waitUntilAvailable } from "./snapshot-resource";

const names = {
  instance: {
    source: "sourceDbSnapshotIdentifier",
    target: "targetDbSnapshotIdentifier",
    title: "RDS DB Snapshot Copy",
  },
  cluster: {
    source: "sourceDbClusterSnapshotIdentifier",
    target: "targetDbClusterSnapshotIdentifier",
    title: "RDS DB Cluster Snapshot Copy",
  },
} as const satisfies Record<Kind, object>;

/**
 * `aws.rds.SnapshotCopy` and `aws.rds.ClusterSnapshotCopy`. The copy is made in the region of the provider, and its id
 * is its identifier there.
 */
export function snapshotCopyResource(
  cloudDir: string,
  kind: Kind,
  connect: (cloudDir: string) => Promise<Client>,
  region = defaultRegion,
) {
  const { source, target, title } = names[kind];
  const inputs: Inputs = {
    [source]: { type: "string", required: true, replaces: true },
    [target]: { type: "string", required: true, replaces: true },
    kmsKeyId: { type: "string", replaces: true },
    tags: { type: "tags" },
  };
  const find = (id: string) => readSnapshot(cloudDir, kind, keyIn(id, region));
  const attributesOf = (copy: Snapshot): Properties => ({
    ...snapshotAttributes(copy, region),
    [source]: copy.copy?.source ?? "",
    [target]: copy.identifier,
    tagsAll: copy.tags,
  });

  return {
    inputs,

    async create({ inputs: given, timeout, preview, signal }: CreateRequest): Promise<CreateResult> {
      const tags = (given["tags"] ?? {}) as Record<string, string>;
      if (preview) return { id: "", outputs: { ...unknownSnapshotAttributes(kind), ...given, tagsAll: tags } };
      const identifier = given[target] as string;
      const kmsKeyId = given["kmsKeyId"] as string | undefined;
      let id: string;
      try {
        authorize(cloudDir, actions[kind].copy);
        if (Object.keys(tags).length > 0) authorize(cloudDir, TAG);
        const client = await connect(cloudDir);
        const asked = { kind, source: given[source] as string, identifier, region, kmsKeyId, tags };
        id = (await client.call("aws.copySnapshot", asked)).identifier;
      } catch (error) {
        throw new Error(errors(`creating ${title} (${identifier}): ${operationError(actions[kind].copy, error)}`));
      }
      const problem =
        unreadable(cloudDir, actions[kind].find) ??
        (await waitUntilAvailable(cloudDir, { kind, key: keyIn(id, region) }, timeout || defaultTimeout, signal)) ??
        unreadable(cloudDir, actions[kind].attributes);
      if (problem === undefined) return { id, outputs: attributesOf(find(id)!) };
      throw new InitError(id, { ...given, tagsAll: tags }, [errors(`waiting for ${title} (${id}) create: ${problem}`)]);
    },

    async update({ id, inputs: given, olds, preview }: UpdateRequest): Promise<Properties> {
      const tags = (given["tags"] ?? {}) as Record<string, string>;
      if (!preview) {
        authorize(cloudDir, TAG);
        const client = await connect(cloudDir);
        await client.call("aws.modifySnapshot", { kind, identifier: keyIn(id, region), tags });
      }
      return { ...olds, tags, tagsAll: tags };
    },

    async read({ id }: ReadRequest): Promise<ReadResult | undefined> {
      const denied = unreadable(cloudDir, actions[kind].find) ?? unreadable(cloudDir, actions[kind].attributes);
      if (denied !== undefined) throw new Error(errors(`reading ${title} (${id}): ${denied}`));
      const copy = find(id);
      if (!copy) return undefined;
      const outputs = attributesOf(copy);
      const known = Object.keys(inputs).filter((name) => outputs[name] !== undefined && outputs[name] !== "");
      return { id, inputs: Object.fromEntries(known.map((name) => [name, outputs[name]!])), outputs };
    },

    async delete({ id }: DeleteRequest): Promise<void> {
      authorize(cloudDir, actions[kind].delete);
      const client = await connect(cloudDir);
      await client.call("aws.deleteSnapshot", { kind, identifier: keyIn(id, region) }).catch((error: Error) => {
        if (error.name.includes("SnapshotNotFound")) return;
        throw new Error(errors(`deleting ${title} (${id}): ${operationError(actions[kind].delete, error)}`));
      });
    },
  };
}
