import { promises as fs } from "node:fs";
import path from "node:path";
import { copyTree, exists, removeTree, syncPath, syncTree } from "../../../embedded/files";
import { writeAtomically } from "../../../text/atomic";
import { systemErrorInWords } from "../../system-error";
import { describeProcess } from "../process";
import { isIdentifier, type Kind, RdsError, rdsErrors } from "./errors";
import { hasFault } from "./faults";
import { keyIn, readCredentials, readSnapshot, type SnapshotRecord, snapshotFolder, writeSnapshot } from "./records";
import { requireQuota, type StartedSnapshot } from "./snapshot";

export interface CopySnapshot {
  kind: Kind;
  /** The ARN of the snapshot. */
  source: string;
  /** The identifier of the copy. */
  identifier: string;
  region: string;
  kmsKeyId?: string | undefined;
  tags?: Record<string, string>;
}

/** Copies a snapshot to another region, as CopyDBSnapshot does. Returns as soon as the copy is `copying`. */
export async function startCopy(
  cloudDir: string,
  { kind, source, region, kmsKeyId, tags = {}, ...asked }: CopySnapshot,
  signal: AbortSignal,
): Promise<StartedSnapshot> {
  if (!isIdentifier(asked.identifier, 255)) throw rdsErrors.invalidIdentifier("TargetDBSnapshotIdentifier");
  const identifier = asked.identifier.toLowerCase();
  const key = keyIn(identifier, region);
  if (readSnapshot(cloudDir, kind, key)) throw rdsErrors.snapshotExists(kind, identifier);
  const from = readSnapshot(cloudDir, kind, source.split(":").at(-1)!);
  if (!from) throw rdsErrors.snapshotNotFound(kind, source);
  if (from.status !== "available") throw rdsErrors.snapshotNotAvailable(kind, "copy", source, from.status);
  if (from.instance.encrypted && kmsKeyId === undefined) {
    throw new RdsError(
      "InvalidParameterCombination",
      "KmsKeyId is required to copy an encrypted snapshot to another region.",
    );
  }
  await requireQuota(cloudDir, kind, region);

  const record: SnapshotRecord = {
    ...from,
    ...{ identifier, tags, sharedAccounts: [], status: "copying", progress: 0, size: 0 },
    createTime: new Date().toISOString(),
    worker: describeProcess(process.pid)!,
    copy: { region, source, kmsKeyId },
  };
  const folder = snapshotFolder(cloudDir, kind, key);
  await fs.mkdir(folder, { recursive: true, mode: 0o700 });
  const original = snapshotFolder(cloudDir, kind, from.identifier);
  writeAtomically(path.join(folder, "credentials.json"), JSON.stringify(readCredentials(original)));
  writeSnapshot(cloudDir, record);
  const { worker: _, ...snapshot } = record;
  return { snapshot, done: make(cloudDir, record, original, signal) };
}

/** Copies the files in the background. Any failure sets the status `failed`. */
async function make(cloudDir: string, record: SnapshotRecord, original: string, signal: AbortSignal): Promise<void> {
  const folder = snapshotFolder(cloudDir, record.kind, keyIn(record.identifier, record.copy?.region));
  const partial = path.join(folder, "data.partial");
  try {
    if (hasFault(cloudDir, "snapshot-copy-fails")) throw new Error("Provoked by the fault `snapshot-copy-fails`.");
    await copyTree(path.join(original, "data"), partial, { signal });
    await syncTree(partial);
    await fs.rename(partial, path.join(folder, "data"));
    await syncPath(folder);
    const { size } = readSnapshot(cloudDir, record.kind, path.basename(original)) ?? record;
    writeSnapshot(cloudDir, { ...record, status: "available", progress: 100, size });
  } catch (error) {
    await removeTree(partial);
    const reason = systemErrorInWords(error) ?? (error as Error).message;
    if (await exists(folder)) writeSnapshot(cloudDir, { ...record, status: "failed", reason });
  }
}
