import { randomBytes } from "node:crypto";
import { promises as fs } from "node:fs";
import path from "node:path";
import { exists, removeTree, syncPath, syncTree } from "../../../embedded/files";
import { runningServer } from "../../../embedded/postgres";
import { until } from "../../../embedded/processes";
import { writeAtomically } from "../../../text/atomic";
import { systemErrorInWords } from "../../system-error";
import { describeProcess, isRunning } from "../process";
import { copyServer } from "./backup";
import { isIdentifier, type Kind, rdsErrors } from "./errors";
import { hasFault } from "./faults";
import {
  dataDirectoryOf,
  findInstance,
  folders,
  instanceFolder,
  kinds,
  listSnapshots,
  readCredentials,
  readInstance,
  readSnapshot,
  type Snapshot,
  type SnapshotRecord,
  snapshotFolder,
  snapshotKey,
  writeSnapshot,
} from "./records";

export interface CreateSnapshot {
  kind: Kind;
  /** The identifier of the instance or cluster. */
  source: string;
  identifier: string;
  tags?: Record<string, string>;
  sharedAccounts?: string[];
}

/** The number of manual snapshots that a region may have, for each kind (RDS quotas). */
export const SNAPSHOT_QUOTA = 100;

/** The states of an instance in which RDS accepts CreateDBSnapshot (API reference, InvalidDBInstanceState). */
const SNAPSHOT_STATES = ["available", "storage-optimization"];

/** An accepted request. The snapshot is `creating`; `done` resolves when it no longer is, and never rejects. */
export interface StartedSnapshot {
  snapshot: Snapshot;
  done: Promise<void>;
}

export async function startSnapshot(
  cloudDir: string,
  request: CreateSnapshot,
  signal: AbortSignal,
): Promise<StartedSnapshot> {
  const { kind } = request;
  if (!isIdentifier(request.identifier, kind === "instance" ? 255 : 63)) {
    throw rdsErrors.invalidIdentifier(kind === "instance" ? "DBSnapshotIdentifier" : "DBClusterSnapshotIdentifier");
  }
  const identifier = request.identifier.toLowerCase();
  const source = request.source.toLowerCase();
  if (readSnapshot(cloudDir, kind, identifier)) throw rdsErrors.snapshotExists(kind, identifier);
  const instance = await findInstance(cloudDir, kind, source);
  if (!instance) throw rdsErrors.instanceNotFound(kind, source);
  if (!SNAPSHOT_STATES.includes(instance.status)) throw rdsErrors.instanceNotAvailable(kind, source);
  await requireQuota(cloudDir, kind, undefined);

  const record: SnapshotRecord = {
    identifier,
    kind,
    status: "creating",
    snapshotType: "manual",
    source,
    createTime: new Date().toISOString(),
    progress: 0,
    size: 0,
    tags: request.tags ?? {},
    sharedAccounts: request.sharedAccounts ?? [],
    instance: readInstance(cloudDir, kind, source)!,
    worker: describeProcess(process.pid)!,
  };
  await addRecord(cloudDir, record);
  return { snapshot: withoutWorker(record), done: make(cloudDir, record, signal) };
}

/**
 * Refuses a manual snapshot beyond the quota of a region.
 * @param region the region of a copy; undefined for that of the instances
 */
export async function requireQuota(cloudDir: string, kind: Kind, region: string | undefined): Promise<void> {
  const manual = (await listSnapshots(cloudDir)).filter(
    (s) => s.kind === kind && s.snapshotType === "manual" && s.copy?.region === region,
  );
  if (manual.length >= SNAPSHOT_QUOTA) throw rdsErrors.snapshotQuota();
}

/** Makes the copy in the background. Any failure sets the status `failed`. */
async function make(cloudDir: string, record: SnapshotRecord, signal: AbortSignal): Promise<void> {
  const folder = snapshotFolder(cloudDir, record.kind, record.identifier);
  // The tags may change while the copy is made, so the record is read again before each change.
  const update = (change: Partial<SnapshotRecord>) => {
    const now = readSnapshot(cloudDir, record.kind, record.identifier);
    if (now?.createTime === record.createTime) writeSnapshot(cloudDir, { ...now, ...change });
  };
  try {
    if (hasFault(cloudDir, "snapshot-fails")) throw new Error("Provoked by the fault `snapshot-fails`.");
    while (hasFault(cloudDir, "snapshot-stays-creating")) {
      signal.throwIfAborted();
      await until(async () => signal.aborted || !hasFault(cloudDir, "snapshot-stays-creating"), { timeout: 60_000 });
    }
    const dataDirectory = dataDirectoryOf(cloudDir, record.instance);
    const server = await runningServer(dataDirectory);
    if (!server) throw new Error("The server was stopped.");
    let told = Date.now();
    const size = await copyServer({
      server,
      credentials: readCredentials(folder),
      target: path.join(folder, "data.partial"),
      label: record.identifier,
      signal,
      onProgress(progress) {
        if (Date.now() - told < 250) return;
        told = Date.now();
        update({ progress });
      },
    });
    await syncTree(path.join(folder, "data.partial"));
    await fs.rename(path.join(folder, "data.partial"), path.join(folder, "data"));
    await syncPath(folder);
    update({ status: "available", progress: 100, size });
  } catch (error) {
    await removeTree(path.join(folder, "data.partial"));
    const reason = systemErrorInWords(error) ?? (error as Error).message;
    // On a full disk this is retried, because a snapshot that stays `creating` would be waited for without end.
    const told = async () => {
      try {
        if (await exists(folder)) update({ status: "failed", reason });
        return true;
      } catch {
        return signal.aborted;
      }
    };
    await until(told, { timeout: Number.POSITIVE_INFINITY, every: 1_000 });
  }
}

async function addRecord(cloudDir: string, record: SnapshotRecord): Promise<void> {
  const parent = folders.snapshots(cloudDir, record.kind);
  const draft = path.join(parent, `.new-${randomBytes(6).toString("hex")}`);
  await fs.mkdir(draft, { recursive: true, mode: 0o700 });
  const credentials = readCredentials(instanceFolder(cloudDir, record.kind, record.source));
  writeAtomically(path.join(draft, "credentials.json"), JSON.stringify(credentials));
  writeAtomically(path.join(draft, "snapshot.json"), JSON.stringify(record, null, 2));
  await fs.rename(draft, snapshotFolder(cloudDir, record.kind, record.identifier));
  await syncPath(parent);
}

export async function deleteSnapshot(cloudDir: string, kind: Kind, identifier: string): Promise<void> {
  const record = readSnapshot(cloudDir, kind, identifier);
  if (!record) throw rdsErrors.snapshotNotFound(kind, identifier);
  if (record.snapshotType !== "manual" || ["creating", "copying"].includes(record.status)) {
    throw rdsErrors.snapshotNotAvailable(kind, "delete", identifier, `${record.snapshotType}, ${record.status}`);
  }
  await removeSnapshot(cloudDir, kind, identifier);
}

export function modifySnapshot(
  cloudDir: string,
  kind: Kind,
  identifier: string,
  change: { tags?: Record<string, string>; sharedAccounts?: string[] },
): void {
  const record = readSnapshot(cloudDir, kind, identifier);
  if (!record) throw rdsErrors.snapshotNotFound(kind, identifier);
  writeSnapshot(cloudDir, { ...record, ...change });
}

/** Returns the record of a snapshot that can be restored. @throws RdsError if it can't be */
export function restorable(cloudDir: string, identifier: string, kind?: Kind): SnapshotRecord {
  const found = (kind ? [kind] : kinds).map((k) => readSnapshot(cloudDir, k, identifier)).find(Boolean);
  if (!found) throw rdsErrors.snapshotNotFound(kind ?? "instance", identifier);
  if (found.status !== "available") {
    throw rdsErrors.snapshotNotAvailable(found.kind, "restore", identifier, found.status);
  }
  return found;
}

/** Cleans up after a killed cloud: unfinished snapshots become `failed`; drafts and deleted folders are removed. */
export async function recoverFolders(cloudDir: string): Promise<void> {
  for (const kind of kinds) {
    for (const parent of [folders.snapshots(cloudDir, kind), folders.instances(cloudDir, kind)]) {
      for (const name of await fs.readdir(parent).catch(() => [])) {
        const entry = path.join(parent, name);
        if (name.startsWith(".")) await removeTree(entry);
        else for (const draft of await drafts(entry)) await fs.rm(path.join(entry, draft), { force: true });
      }
    }
  }
  for (const { kind, ...named } of await listSnapshots(cloudDir)) {
    const key = snapshotKey(named);
    const record = readSnapshot(cloudDir, kind, key);
    if (record?.status !== "failed" || isRunning(record.worker)) continue;
    writeSnapshot(cloudDir, record);
    const partial = path.join(snapshotFolder(cloudDir, kind, key), "data.partial");
    await removeTree(partial);
  }
}

/** The drafts of records that were being written when their process was killed. */
async function drafts(folder: string): Promise<string[]> {
  return (await fs.readdir(folder)).filter((name) => name.endsWith(".tmp"));
}

async function removeSnapshot(cloudDir: string, kind: Kind, identifier: string): Promise<void> {
  const gone = path.join(folders.snapshots(cloudDir, kind), `.gone-${randomBytes(6).toString("hex")}`);
  await fs.rename(snapshotFolder(cloudDir, kind, identifier), gone);
  await removeTree(gone);
}

function withoutWorker({ worker: _, ...snapshot }: SnapshotRecord): Snapshot {
  return snapshot;
}
