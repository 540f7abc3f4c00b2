import { promises as fs } from "node:fs";
import path from "node:path";
import { isMissing } from "../../../embedded/files";
import { runningServer } from "../../../embedded/postgres";
import { type OnUnreadable, readable, readJson, writeAtomically } from "../../../text/atomic";
import { isRunning, type ProcessRecord } from "../process";
import type { Properties } from "../provider";
import type { Kind } from "./errors";
import { hasFault } from "./faults";

/** The content of instance.json, which describes an instance or a cluster. Secrets are in credentials.json instead. */
export interface InstanceRecord {
  identifier: string;
  kind: Kind;
  database: string;
  /** The schema of the application; undefined for `public`. */
  schema?: string | undefined;
  port: number;
  engineVersion: string;
  /** The value of an attribute only: the files are encrypted if this machine's disk is. */
  encrypted: boolean;
  /** The ARN of the key that the disk would be encrypted with; undefined for none. */
  kmsKeyId?: string | undefined;
  createTime: string;
  /** The directory of the server's files; undefined for `server/data` next to the record. */
  dataDirectory?: string | undefined;
  /** The identifier of the snapshot that the instance was restored from. */
  restoredFrom?: string | undefined;
  /** The region in which the instance is; undefined if every region has it. */
  region?: string | undefined;
  /** Whether the roles and the database have been created. */
  ready: boolean;
  /** Its settings, by their names in RDS' descriptions; undefined: those of every database that `up` makes. */
  settings?: Properties | undefined;
  /** The instances of a cluster; undefined: the one that `up` makes. */
  members?: Member[] | undefined;
  /** The days for which automated backups are kept. Only if they are more than 0, the server archives its log. */
  backupRetention?: number | undefined;
  /** The moment to which the server's first start recovers it, from the archive in this folder. */
  recovery?: { to: string; archive: string } | undefined;
}

/** An instance of a cluster. All instances of a cluster are one server here. */
export interface Member {
  identifier: string;
  createTime: string;
  /** Whether the server runs. */
  ready: boolean;
  /** Its settings, by their names in RDS' descriptions. */
  settings: Properties;
}

/** Whether a record is in the region that is asked; every record is if none is asked. */
export function isInRegion(record: Pick<InstanceRecord, "region">, region: string | undefined): boolean {
  return record.region === undefined || region === undefined || record.region === region;
}

/** The content of snapshot.json. Next to it are `data`, a copy of the server's files, and the copy's credentials. */
export interface SnapshotRecord {
  identifier: string;
  kind: Kind;
  status: "creating" | "copying" | "modifying" | "deleting" | "available" | "failed";
  snapshotType: "manual" | "automated";
  /** The identifier of the instance or cluster. */
  source: string;
  /** The time when the copy began, in ISO 8601, UTC. */
  createTime: string;
  /** The progress of the copy, 0…100. */
  progress: number;
  /** The size of the copy in bytes; 0 until it is available. */
  size: number;
  tags: Record<string, string>;
  sharedAccounts: string[];
  /** The instance's record when the snapshot was taken. */
  instance: InstanceRecord;
  /** The process that makes the copy. If it ends while the status is `creating`, the copy stays incomplete. */
  worker: ProcessRecord;
  /** The cause of the failure. */
  reason?: string;
  /** What differs in a copy of another snapshot; undefined for a snapshot of the instance itself. */
  copy?: SnapshotCopy | undefined;
}

/** A copy: its region, the ARN of the snapshot that it was made of, and the key that it would be encrypted with. */
interface SnapshotCopy {
  region: string;
  source: string;
  kmsKeyId?: string | undefined;
}

/** The name of a snapshot in this cloud. Snapshots of two regions may have the same identifier. */
export function snapshotKey({ identifier, copy }: Pick<SnapshotRecord, "identifier" | "copy">): string {
  return keyIn(identifier, copy?.region);
}

/** The name in this cloud of a copy in a region, or of a snapshot in its instance's own region. */
export function keyIn(identifier: string, region: string | undefined): string {
  return region === undefined ? identifier : `${identifier}@${region}`;
}

/** Whether a snapshot is in the region that is asked for. */
export function isSnapshotIn(
  { copy, instance }: Pick<SnapshotRecord, "copy" | "instance">,
  region: string | undefined,
) {
  return copy ? copy.region === region : isInRegion(instance, region);
}

export interface Credentials {
  rdsadmin: string;
  postgres: string;
  migrator: string;
  app: string;
}

export interface Instance extends Omit<InstanceRecord, "dataDirectory"> {
  /** RDS's status: `available`, `stopped`, `creating`, `backing-up`, `modifying` or `storage-optimization`. */
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

/** Reads a snapshot's record. If the process that made it has ended early, its status is `failed`. */
export function readSnapshot(cloudDir: string, kind: Kind, identifier: string): SnapshotRecord | undefined {
  const file = path.join(snapshotFolder(cloudDir, kind, identifier), "snapshot.json");
  const record = readJson<SnapshotRecord>(file, ["identifier", "kind", "status", "source", "createTime"]);
  const made = record?.status === "creating" || (record?.status === "copying" && record.copy !== undefined);
  if (!record || !made || isRunning(record.worker)) return record;
  return { ...record, status: "failed", reason: "The process that made it was killed." };
}

export function writeSnapshot(cloudDir: string, record: SnapshotRecord): void {
  const folder = snapshotFolder(cloudDir, record.kind, snapshotKey(record));
  writeAtomically(path.join(folder, "snapshot.json"), JSON.stringify(record, null, 2));
}

/** Lists all snapshots of this cloud, the oldest first. It only reads files; no process is started. */
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

/** Lists all instances and clusters of this cloud, also restored ones. It only reads files; no process is started. */
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
  // A restored cluster has no instance at first, and therefore nothing to connect to.
  else if (record.members?.length === 0) status = "available";
  else if (!(await runningServer(dataDirectory))) status = "stopped";
  else if (backingUp) status = "backing-up";
  return { ...record, status, host: "127.0.0.1", dataDirectory };
}

/** The names of a folder's entries. Entries that begin with a dot are incomplete and left out. */
async function names(folder: string): Promise<string[]> {
  try {
    return (await fs.readdir(folder)).filter((name) => !name.startsWith("."));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
