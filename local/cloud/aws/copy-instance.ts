import path from "node:path";
import { locateBinaries } from "../../../embedded/binaries";
import { copyTree, syncTree } from "../../../embedded/files";
import { freePort } from "../../../embedded/ports";
import { fillToMoment } from "./archive";
import { rdsErrors } from "./errors";
import { addInstance, type Connection, connectionOf, startInstance } from "./instance";
import {
  type InstanceRecord,
  instanceFolder,
  readCredentials,
  readInstance,
  type SnapshotRecord,
  snapshotFolder,
} from "./records";

/** Creates a new instance with the snapshot's data. It has the same roles and passwords as the snapshot's source. */
export async function restoreInstance(
  cloudDir: string,
  snapshot: SnapshotRecord,
  identifier: string,
): Promise<Connection> {
  const { kind } = snapshot;
  if (readInstance(cloudDir, kind, identifier)) throw rdsErrors.instanceExists(kind);
  await addFromSnapshot(cloudDir, snapshot, { kind, identifier, createTime: new Date().toISOString() });
  return connectionOf(cloudDir, await startInstance(cloudDir, kind, identifier));
}

/** What a copy has of its own; the rest of its record is that of its source. */
export type CopyRecord = Pick<
  InstanceRecord,
  "kind" | "identifier" | "createTime" | "settings" | "members" | "backupRetention"
>;

/** Adds an instance with the snapshot's data, without starting it. */
export async function addFromSnapshot(cloudDir: string, snapshot: SnapshotRecord, copy: CopyRecord): Promise<void> {
  const source = snapshotFolder(cloudDir, snapshot.kind, snapshot.identifier);
  const record: InstanceRecord = {
    ...{ ...snapshot.instance, members: undefined, backupRetention: undefined, ...copy },
    port: await freePort(),
    restoredFrom: snapshot.identifier,
  };
  const { account } = await locateBinaries();
  await addInstance(cloudDir, record, readCredentials(source), async (dataDirectory) => {
    await copyTree(path.join(source, "data"), dataDirectory, { owner: account });
    await syncTree(dataDirectory);
    return {};
  });
}

/** Adds an instance that gets the source's data of a moment when it is started. */
export async function addFromMoment(
  cloudDir: string,
  source: InstanceRecord,
  to: Date,
  copy: CopyRecord,
): Promise<void> {
  const record: InstanceRecord = {
    ...{ ...source, dataDirectory: undefined, members: undefined, backupRetention: undefined, ...copy },
    port: await freePort(),
    restoredFrom: `${source.identifier} at ${to.toISOString()}`,
  };
  const credentials = readCredentials(instanceFolder(cloudDir, source.kind, source.identifier));
  await addInstance(cloudDir, record, credentials, async (dataDirectory) => ({
    recovery: await fillToMoment(cloudDir, source, to, dataDirectory),
  }));
}
