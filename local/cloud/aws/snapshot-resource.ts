import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { until } from "../../../embedded/processes";
import type { Client } from "../client";
import {
  type CreateRequest,
  type CreateResult,
  type DeleteRequest,
  InitError,
  type Json,
  type Properties,
  type ReadRequest,
  type ReadResult,
  type UpdateRequest,
} from "../provider";
import { snapshotAttributes, unknownSnapshotAttributes } from "./attributes";
import type { Kind } from "./errors";
import type { Inputs } from "./inputs";
import { actions, authorize, TAG } from "./permissions";
import { readSnapshot, type Snapshot } from "./records";
import type { CreateSnapshot } from "./snapshot";

type Connect = (cloudDir: string) => Promise<Client>;

/** The names of one resource type, which are the only difference between instance and cluster snapshots here. */
interface Names {
  kind: Kind;
  source: string;
  identifier: string;
  /** The name in the messages of the real provider. */
  title: string;
  createAction: string;
}

const names: Record<Kind, Names> = {
  instance: {
    kind: "instance",
    source: "dbInstanceIdentifier",
    identifier: "dbSnapshotIdentifier",
    title: "RDS DB Snapshot",
    createAction: "CreateDBSnapshot",
  },
  cluster: {
    kind: "cluster",
    source: "dbClusterIdentifier",
    identifier: "dbClusterSnapshotIdentifier",
    title: "RDS DB Cluster Snapshot",
    createAction: "CreateDBClusterSnapshot",
  },
};

/** The real provider's default timeout of a creation, in seconds. */
export const defaultTimeout = 20 * 60;
/**
 * The time in ms for which creating a snapshot is retried while a *cluster* is not available. The real provider retries
 * for 2 minutes, and not at all for an instance. This cloud's clusters change their state faster, so less is enough.
 */
const clusterPatience = 4_000;

/** `aws.rds.Snapshot` and `aws.rds.ClusterSnapshot`, behaving as terraform-provider-aws with Pulumi's bridge. */
export function snapshotResource(cloudDir: string, kind: Kind, connect: Connect) {
  const { source, identifier, title, createAction } = names[kind];
  const inputs: Inputs = {
    [source]: { type: "string", required: true, replaces: true },
    [identifier]: {
      type: "string",
      required: true,
      replaces: true,
      ...(kind === "cluster" && { validate: clusterRule }),
    },
    region: { type: "string", replaces: true },
    sharedAccounts: { type: "strings" },
    tags: { type: "tags" },
  };
  const attributesOf = (snapshot: Snapshot, region: Json | undefined): Properties => ({
    ...snapshotAttributes(snapshot, typeof region === "string" ? region : undefined),
    sharedAccounts: snapshot.sharedAccounts,
    tagsAll: snapshot.tags,
  });

  async function request(client: Client, asked: CreateSnapshot, signal?: AbortSignal): Promise<Snapshot> {
    let refused: unknown;
    const accepted = await until(
      () =>
        client.call("aws.createSnapshot", asked).catch((error: Error) => {
          if (kind === "instance" || error.name !== "InvalidDBClusterStateFault") throw error;
          refused = error;
          return undefined;
        }),
      { timeout: kind === "cluster" ? clusterPatience : 0, every: 250, abort: signal },
    );
    if (!accepted) throw refused;
    return accepted;
  }

  return {
    inputs,

    async create({ inputs: given, timeout, preview, signal }: CreateRequest): Promise<CreateResult> {
      if (preview)
        return { id: "", outputs: { ...unknownSnapshotAttributes(kind), ...given, tagsAll: given["tags"] ?? {} } };
      const asked: CreateSnapshot = {
        kind,
        source: given[source] as string,
        identifier: given[identifier] as string,
        tags: (given["tags"] ?? {}) as Record<string, string>,
        sharedAccounts: (given["sharedAccounts"] ?? []) as string[],
      };
      let id: string;
      try {
        authorize(cloudDir, actions[kind].create);
        if (Object.keys(asked.tags ?? {}).length > 0) authorize(cloudDir, TAG);
        id = (await request(await connect(cloudDir), asked, signal)).identifier;
      } catch (error) {
        throw new Error(errors(`creating ${title} (${asked.identifier}): ${operationError(createAction, error)}`));
      }
      const seconds = timeout > 0 ? timeout : defaultTimeout;
      const problem =
        unreadable(cloudDir, actions[kind].find) ??
        (await waitUntilAvailable(cloudDir, { kind, key: id }, seconds, signal)) ??
        unreadable(cloudDir, actions[kind].attributes);
      if (problem === undefined) {
        return { id, outputs: attributesOf(readSnapshot(cloudDir, kind, id)!, given["region"]) };
      }
      // The bridge keeps the resource with its inputs, without the outputs that the cloud would have added.
      throw new InitError(id, { ...given, tagsAll: given["tags"] ?? {} }, [
        errors(`waiting for ${title} (${id}) create: ${problem}`),
      ]);
    },

    async update({ id, inputs: given, olds, preview }: UpdateRequest): Promise<Properties> {
      const tags = (given["tags"] ?? {}) as Record<string, string>;
      const sharedAccounts = (given["sharedAccounts"] ?? []) as string[];
      if (!preview) {
        const client = await connect(cloudDir);
        if (!isDeepStrictEqual(tags, olds["tags"] ?? {})) authorize(cloudDir, TAG);
        if (!isDeepStrictEqual(sharedAccounts, olds["sharedAccounts"] ?? [])) authorize(cloudDir, actions[kind].share);
        await client.call("aws.modifySnapshot", { kind, identifier: id, tags, sharedAccounts }).catch((error) => {
          throw new Error(errors(`updating ${title} (${id}): ${operationError("AddTagsToResource", error)}`));
        });
      }
      // The real resource for a cluster's snapshot is read after an update, the one for an instance's snapshot is not.
      const now = kind === "cluster" && !preview ? readSnapshot(cloudDir, kind, id) : undefined;
      return now ? attributesOf(now, olds["region"]) : { ...olds, tags, tagsAll: tags, sharedAccounts };
    },

    async read({ id, inputs: known, olds }: ReadRequest): Promise<ReadResult | undefined> {
      const denied = unreadable(cloudDir, actions[kind].find) ?? unreadable(cloudDir, actions[kind].attributes);
      if (denied !== undefined) throw new Error(errors(`reading ${title} (${id}): ${denied}`));
      const snapshot = readSnapshot(cloudDir, kind, id);
      if (!snapshot) return undefined;
      const outputs = attributesOf(snapshot, olds["region"]);
      const empty = (value: Json) => typeof value === "object" && Object.keys(value ?? {}).length === 0;
      const inputsNow = Object.keys(inputs)
        .filter((name) => name in known || !(empty(outputs[name] ?? {}) || name === "region"))
        .map((name) => [name, outputs[name]!]);
      return { id, inputs: Object.fromEntries(inputsNow), outputs };
    },

    async delete({ id }: DeleteRequest): Promise<void> {
      authorize(cloudDir, actions[kind].delete);
      const client = await connect(cloudDir);
      await client.call("aws.deleteSnapshot", { kind, identifier: id }).catch((error: Error) => {
        if (error.name.includes("SnapshotNotFound")) return;
        const action = createAction.replace("Create", "Delete");
        throw new Error(errors(`deleting ${title} (${id}): ${operationError(action, error)}`));
      });
    },
  };
}

/** The message of a read that is not granted; undefined if it is granted. */
export function unreadable(cloudDir: string, action: string): string | undefined {
  try {
    authorize(cloudDir, action);
    return undefined;
  } catch (error) {
    return operationError(action, error);
  }
}

/** Polls the record, as the real provider polls DescribeDBSnapshots. Undefined: the snapshot is available. */
export async function waitUntilAvailable(
  cloudDir: string,
  { kind, key }: { kind: Kind; key: string },
  seconds: number,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const settled = await until(
    async () => {
      if (signal?.aborted) return "cancelled";
      const status = readSnapshot(cloudDir, kind, key)?.status ?? "gone";
      return status === "creating" || status === "copying" ? undefined : status;
    },
    { timeout: seconds * 1000, every: 25 },
  );
  const { progress = 0, status = "creating" } = readSnapshot(cloudDir, kind, key) ?? {};
  const last = kind === "instance" ? `: ${progress}% progress` : "";
  if (settled === "available") return undefined;
  if (settled === "cancelled") return "context canceled";
  if (settled === "gone") return "couldn't find resource (21 retries)";
  if (settled !== undefined) {
    return `unexpected state '${settled}', wanted target 'available'. last error: ${last.slice(2) || "%!s(<nil>)"}`;
  }
  return `timeout while waiting for state to become 'available' (last state: '${status}', timeout: ${goDuration(seconds)})${last}`;
}

/** The provider's message for a failed call of the AWS SDK. Other errors keep their own message. */
export function operationError(action: string, error: unknown): string {
  const { name, message, data } = error as Error & { data?: { code?: string; status?: number } | null };
  if (!data?.code) return message;
  const response = `https response error StatusCode: ${data.status}, RequestID: ${randomUUID()}`;
  const code = ["InvalidParameterValue", "AccessDenied"].includes(data.code) ? `api error ${name}` : name;
  return `operation error RDS: ${action}, ${response}, ${code}: ${message}`;
}

/** The bridge's format for the errors of a Terraform resource. */
export function errors(text: string): string {
  return `1 error occurred:\n\t* ${text}\n\n`;
}

/** Formats a duration as Go does: 20m0s, 1h0m0s, 5s. */
function goDuration(seconds: number): string {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  if (h > 0) return `${h}h${m}m${s}s`;
  return m > 0 ? `${m}m${s}s` : `${s}s`;
}

/** The rules that the real provider checks before it calls AWS. The names of instances' snapshots only AWS checks. */
function clusterRule(value: string): string | undefined {
  const name = '"db_cluster_snapshot_identifier"';
  if (value.length < 1 || value.length > 63) {
    return `expected length of ${name} to be in the range (1 - 63), got ${value}`;
  }
  if (!/^[0-9a-z-]+$/.test(value)) {
    return `invalid value for ${name} (must contain only lowercase alphanumeric characters and hyphens)`;
  }
  if (!/^[a-z]/.test(value)) return `invalid value for ${name} (must begin with a lowercase letter)`;
  if (value.includes("--")) return `invalid value for ${name} (cannot contain two consecutive hyphens)`;
  return value.endsWith("-") ? `invalid value for ${name} (cannot end with a hyphen)` : undefined;
}
