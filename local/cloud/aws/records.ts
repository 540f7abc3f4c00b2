import { promises as fs } from "node:fs";
import path from "node:path";
import { type OnUnreadable, readable, readJson, writeAtomically } from "../atomic";
import { isRunning, type ProcessRecord } from "../process";
import type { Kind } from "./errors";
import { hasFault } from "./faults";
import { isMissing } from "./files";
import { runningServer } from "./postgres";

/** instance.json: what the cloud knows of an instance or a cluster. No secret: those are in credentials.json. */
export interface InstanceRecord {
  identifier: string;
  kind: Kind;
  database: string;
  /** Schema of the application where it isn't `public`. */
  schema?: string | undefined;
  port: number;
  engineVersion: string;
  /** Only told, in the attributes: the files are as encrypted as this machine's disk. */
  encrypted: boolean;
  createTime: string;
  /** Where the server's files are if not in `server/data` beside the record. */
  dataDirectory?: string | undefined;
  /** Identifier of the snapshot it was restored from. */
  restoredFrom?: string | undefined;
  /** Roles and database are made. */
  ready: boolean;
}

/** snapshot.json; beside it `data`, the copy of the server's files, and the credentials that are valid in it. */
export interface SnapshotRecord {
  identifier: string;
  kind: Kind;
  status: "creating" | "copying" | "modifying" | "deleting" | "available" | "failed";
  snapshotType: "manual" | "automated";
  /** Identifier of the instance or cluster. */
  source: string;
  /** Begin of the copy, ISO 8601 UTC. */
  createTime: string;
  /** 0…100. */
  progress: number;
  /** Bytes of the copy; 0 until it is available. */
  size: number;
  tags: Record<string, string>;
  sharedAccounts: string[];
  /** Of the instance when the snapshot was taken. */
  instance: InstanceRecord;
  /** Who makes it: while it is `creating` and this process is gone, it will never be more than a part. */
  worker: ProcessRecord;
  /** Why it failed. */
  reason?: string;
}

export interface Credentials {
  rdsadmin: string;
  postgres: string;
  migrator: string;
  app: string;
}

export interface Instance extends Omit<InstanceRecord, "dataDirectory"> {
  /** `available`, `stopped`, `creating`, `backing-up`, `modifying`, `storage-optimization`, as RDS names them. */
  status: string;
  host: string;
  dataDirectory: string;
}

export type Snapshot = Omit<SnapshotRecord, "worker">;

export const folders = {
  instances: (cloudDir: string, kind: Kind) => path.join(cloudDir, "aws", `${kind}s`),
  snapshots: (cloudDir: string, kind: Kind) =>
    path.join(cloudDir, "aws", kind === "instance" ? "snapshots" : "cluster-snapshots"),
};

export const kinds: readonly Kind[] = ["instance", "cluster"];

export function instanceFolder(cloudDir: string, kind: Kind, identifier: string): string {
  return path.join(folders.instances(cloudDir, kind), identifier);
}

export function snapshotFolder(cloudDir: string, kind: Kind, identifier: string): string {
  return path.join(folders.snapshots(cloudDir, kind), identifier);
}

export function dataDirectoryOf(cloudDir: string, record: InstanceRecord): string {
  return record.dataDirectory ?? path.join(instanceFolder(cloudDir, record.kind, record.identifier), "server", "data");
}

export function readInstance(cloudDir: string, kind: Kind, identifier: string): InstanceRecord | undefined {
  const file = path.join(instanceFolder(cloudDir, kind, identifier), "instance.json");
  return readJson<InstanceRecord>(file, ["identifier", "kind", "database", "createTime"]);
}

export function writeInstance(cloudDir: string, record: InstanceRecord): void {
  const folder = instanceFolder(cloudDir, record.kind, record.identifier);
  writeAtomically(path.join(folder, "instance.json"), JSON.stringify(record, null, 2));
}

export function readCredentials(folder: string): Credentials {
  const credentials = readJson<Credentials>(path.join(folder, "credentials.json"));
  if (!credentials) throw new Error(`${folder} has no credentials.json: the roles' passwords are lost.`);
  return credentials;
}

/** As it is on disk, but a snapshot whose maker died is `failed`: nobody will finish it. */
export function readSnapshot(cloudDir: string, kind: Kind, identifier: string): SnapshotRecord | undefined {
  const file = path.join(snapshotFolder(cloudDir, kind, identifier), "snapshot.json");
  const record = readJson<SnapshotRecord>(file, ["identifier", "kind", "status", "source", "createTime"]);
  if (record?.status !== "creating" || isRunning(record.worker)) return record;
  return { ...record, status: "failed", reason: "The process that made it was killed." };
}

export function writeSnapshot(cloudDir: string, record: SnapshotRecord): void {
  const folder = snapshotFolder(cloudDir, record.kind, record.identifier);
  writeAtomically(path.join(folder, "snapshot.json"), JSON.stringify(record, null, 2));
}

/** All snapshots of this cloud, the oldest first. From files: no process is needed or started. */
export async function listSnapshots(cloudDir: string, onUnreadable?: OnUnreadable): Promise<Snapshot[]> {
  const found: Snapshot[] = [];
  for (const kind of kinds) {
    for (const identifier of await names(folders.snapshots(cloudDir, kind))) {
      const record = readable(() => readSnapshot(cloudDir, kind, identifier), onUnreadable);
      if (!record) continue;
      const { worker: _, ...snapshot } = record;
      found.push(snapshot);
    }
  }
  return found.sort((a, b) => a.createTime.localeCompare(b.createTime));
}

/** All instances and clusters of this cloud, restored ones too. From files: no process is needed or started. */
export async function listInstances(cloudDir: string, onUnreadable?: OnUnreadable): Promise<Instance[]> {
  const snapshots = await listSnapshots(cloudDir, onUnreadable);
  const found: Instance[] = [];
  for (const kind of kinds) {
    for (const identifier of await names(folders.instances(cloudDir, kind))) {
      const record = readable(() => readInstance(cloudDir, kind, identifier), onUnreadable);
      if (record) found.push(await describe(cloudDir, record, snapshots));
    }
  }
  return found.sort((a, b) => a.createTime.localeCompare(b.createTime));
}

export async function findInstance(cloudDir: string, kind: Kind, identifier: string): Promise<Instance | undefined> {
  const record = readInstance(cloudDir, kind, identifier);
  return record && describe(cloudDir, record, await listSnapshots(cloudDir));
}

async function describe(cloudDir: string, record: InstanceRecord, snapshots: Snapshot[]): Promise<Instance> {
  const dataDirectory = dataDirectoryOf(cloudDir, record);
  // An Aurora cluster stays available while a snapshot is taken; an instance does not.
  const backingUp =
    record.kind === "instance" &&
    snapshots.some((s) => s.kind === "instance" && s.source === record.identifier && s.status === "creating");
  let status = "available";
  if (hasFault(cloudDir, "instance-unavailable")) status = "modifying";
  else if (hasFault(cloudDir, "storage-optimization")) status = "storage-optimization";
  else if (!record.ready) status = "creating";
  else if (!(await runningServer(dataDirectory))) status = "stopped";
  else if (backingUp) status = "backing-up";
  return { ...record, status, host: "127.0.0.1", dataDirectory };
}

/** Names of a folder's entries; those that begin with a dot are half-made. */
async function names(folder: string): Promise<string[]> {
  try {
    return (await fs.readdir(folder)).filter((name) => !name.startsWith("."));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
