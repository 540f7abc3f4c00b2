import { randomBytes } from "node:crypto";
import { promises as fs } from "node:fs";
import path from "node:path";
import { locateBinaries } from "../../../embedded/binaries";
import { exists, removeTree, syncPath } from "../../../embedded/files";
import { freePort } from "../../../embedded/ports";
import { initialise, runningServer, type Server, startServer, stopServer } from "../../../embedded/postgres";
import { type OnUnreadable, readable, writeAtomically } from "../../../text/atomic";
import { archiveSettings, archives, recoverySettings, takeBaseBackup } from "./archive";
import { isIdentifier, type Kind, RdsError, rdsErrors } from "./errors";
import { hasFault } from "./faults";
import { isOwn, makeDataFolder, removeOutside, takeOver } from "./placement";
import {
  type Credentials,
  dataDirectoryOf,
  folders,
  type InstanceRecord,
  instanceFolder,
  kinds,
  readCredentials,
  readInstance,
  writeInstance,
} from "./records";
import { connectionUrl, makeRoles, superuser } from "./roles";

/** The data for connecting to an instance. The URLs contain passwords: they are for Secrets, never a state or a log. */
export interface Connection {
  identifier: string;
  kind: Kind;
  host: string;
  port: number;
  database: string;
  /** The URL of the role `migrator`, which owns the database and may change the schema. */
  adminUrl: string;
  /** The URL of the role `app`, which reads and writes rows. */
  appUrl: string;
  /** The URL of `postgres`, the master user, which as on RDS is not a superuser. */
  masterUrl: string;
}

export interface EnsureInstance {
  identifier: string;
  kind: Kind;
  database: string;
  schema?: string;
  /** The value of the attribute `storageEncrypted`; default: false. */
  encrypted?: boolean;
  /** The region; default: every region has the instance. */
  region?: string | undefined;
  /** Whether it has automated backups, so that it can be restored to a moment; default: as it is. */
  pointInTime?: boolean;
}

/** Creates the instance if it doesn't exist, and starts it if it is stopped. @throws for an invalid name or database */
export async function ensureInstance(cloudDir: string, wanted: EnsureInstance): Promise<Connection> {
  const { kind } = wanted;
  const identifier = checkedIdentifier(kind, wanted.identifier);
  if (!/^[a-z_][a-z0-9_$]{0,62}$/i.test(wanted.database)) {
    const parameter = kind === "instance" ? "DBName" : "DatabaseName";
    const rule = "must begin with a letter and contain only alphanumeric characters.";
    throw new RdsError("InvalidParameterValue", `${parameter} ${rule}`);
  }
  if (!readInstance(cloudDir, kind, identifier)) await createInstance(cloudDir, { ...wanted, identifier });
  const record = await startInstance(cloudDir, kind, identifier);
  if (wanted.pointInTime) await setBackupRetention(cloudDir, record, 1);
  if (record.database !== wanted.database) {
    throw new Error(
      `The ${kind} ${identifier} has the database ${record.database}, not ${wanted.database}. Nothing was changed. ` +
        `Set database.name back to ${record.database}, or use another identifier.`,
    );
  }
  return connectionOf(cloudDir, record);
}

/** Returns undefined if there is no such instance. It only reads files, and the instance may be stopped. */
export function findConnection(cloudDir: string, kind: Kind, identifier: string): Connection | undefined {
  const record = readInstance(cloudDir, kind, identifier);
  return record?.ready ? connectionOf(cloudDir, record) : undefined;
}

/**
 * Starts the server if it isn't running, and completes an interrupted creation. The server keeps its port unless
 * another program has taken it; then it gets a new one.
 */
export async function startInstance(cloudDir: string, kind: Kind, identifier: string): Promise<InstanceRecord> {
  const record = readInstance(cloudDir, kind, identifier);
  if (!record) throw rdsErrors.instanceNotFound(kind, identifier);
  const dataDirectory = dataDirectoryOf(cloudDir, record);
  if (!(await exists(path.join(dataDirectory, "PG_VERSION")))) {
    throw new Error(
      `The files of the ${kind} ${identifier} are gone: ${dataDirectory}. Its snapshots are not touched by that. ` +
        `Remove ${instanceFolder(cloudDir, kind, identifier)} to begin with an empty database.`,
    );
  }
  await takeOver(cloudDir, dataDirectory);
  const server = await startListening(cloudDir, record);
  const port = hasFault(cloudDir, "database-refuses") ? record.port : server.port;
  const { version } = await locateBinaries();
  // A call of the API may have changed the record meanwhile. The server has recovered to its moment by now.
  const now = readInstance(cloudDir, kind, identifier) ?? record;
  const changed = { ...now, port, engineVersion: version, ready: true, recovery: undefined };
  if (!record.ready) {
    await makeRoles(record, readCredentials(instanceFolder(cloudDir, kind, identifier)), server.port);
  }
  if (JSON.stringify(changed) !== JSON.stringify(now)) writeInstance(cloudDir, changed);
  return changed;
}

/**
 * Starts the server on its port. With the fault `database-refuses` nothing listens on the instance's port: the server
 * runs on another one that only the cloud uses, so that snapshots work as on RDS when a security group is wrong.
 */
async function startListening(cloudDir: string, record: InstanceRecord): Promise<Server> {
  const dataDirectory = dataDirectoryOf(cloudDir, record);
  const refuses = hasFault(cloudDir, "database-refuses");
  const running = await runningServer(dataDirectory);
  if (running && (running.port !== record.port) === refuses) return running;
  // A server that was moved by the fault must get its own port back.
  if (running && (refuses || running.port !== record.port)) await stopServer(dataDirectory);
  const log = path.join(instanceFolder(cloudDir, record.kind, record.identifier), "postgres.log");
  const { account } = await locateBinaries();
  const settings = {
    ...((record.backupRetention ?? 0) > 0 ? await archiveSettings(dataDirectory, account) : {}),
    ...(record.recovery ? recoverySettings(record.recovery) : {}),
  };
  return startServer({ dataDirectory, log, port: refuses ? await freePort() : record.port, settings });
}

/**
 * Sets the days for which automated backups are kept. A server that begins to archive its log is restarted, and a base
 * backup is taken.
 */
export async function setBackupRetention(cloudDir: string, { kind, identifier }: Named, days: number): Promise<void> {
  const record = readInstance(cloudDir, kind, identifier);
  if (!record) throw rdsErrors.instanceNotFound(kind, identifier);
  if (record.backupRetention !== days) writeInstance(cloudDir, { ...record, backupRetention: days });
  if (days === 0) return;
  const changed = { ...record, backupRetention: days };
  if (!(await archives(cloudDir, changed))) {
    await stopServer(dataDirectoryOf(cloudDir, changed));
    await startListening(cloudDir, changed);
  }
  await takeBaseBackup(cloudDir, changed, new AbortController().signal);
}

/** Identifies an instance or a cluster. */
type Named = Pick<InstanceRecord, "kind" | "identifier">;

/** Moves every running server to or from its port, as faults.json requires. */
export async function applyFaults(cloudDir: string): Promise<void> {
  await forEachRecord(cloudDir, async (record) => {
    if (record.ready && (await runningServer(dataDirectoryOf(cloudDir, record)))) {
      await startInstance(cloudDir, record.kind, record.identifier);
    }
  });
}

async function createInstance(cloudDir: string, wanted: EnsureInstance): Promise<void> {
  const credentials: Credentials = {
    rdsadmin: randomBytes(18).toString("hex"),
    postgres: randomBytes(18).toString("hex"),
    migrator: randomBytes(18).toString("hex"),
    app: randomBytes(18).toString("hex"),
  };
  const { version } = await locateBinaries();
  const record: InstanceRecord = {
    identifier: wanted.identifier,
    kind: wanted.kind,
    database: wanted.database,
    schema: wanted.schema === "public" ? undefined : wanted.schema,
    port: await freePort(),
    engineVersion: version,
    encrypted: wanted.encrypted ?? false,
    region: wanted.region,
    createTime: new Date().toISOString(),
    ready: false,
  };
  await addInstance(cloudDir, record, credentials, async (dataDirectory) => {
    await initialise({ dataDirectory, superuser, password: credentials.rdsadmin });
    return {};
  });
}

/** Adds an instance. Its folder is created under another name and renamed, so it appears complete or not at all. */
export async function addInstance(
  cloudDir: string,
  record: InstanceRecord,
  credentials: Credentials,
  fill: (dataDirectory: string) => Promise<Pick<InstanceRecord, "recovery">>,
): Promise<void> {
  const parent = folders.instances(cloudDir, record.kind);
  const folder = instanceFolder(cloudDir, record.kind, record.identifier);
  const draft = path.join(parent, `.new-${randomBytes(6).toString("hex")}`);
  await fs.mkdir(draft, { recursive: true, mode: 0o711 });
  let dataDirectory: string | undefined;
  try {
    const server = await makeDataFolder(cloudDir, draft, (await locateBinaries()).account);
    dataDirectory = path.join(server, "data");
    const filled = await fill(dataDirectory);
    writeAtomically(path.join(draft, "credentials.json"), JSON.stringify(credentials));
    const written = { ...record, ...filled, dataDirectory: server.startsWith(draft) ? undefined : dataDirectory };
    writeAtomically(path.join(draft, "instance.json"), JSON.stringify(written, null, 2));
    await fs.rename(draft, folder);
    await syncPath(parent);
  } catch (error) {
    if (dataDirectory) await removeOutside(cloudDir, dataDirectory);
    await removeTree(draft);
    throw error;
  }
}

/** Deletes an instance. Its snapshots stay. */
export async function deleteInstance(cloudDir: string, kind: Kind, identifier: string): Promise<void> {
  const record = readInstance(cloudDir, kind, identifier);
  if (!record) throw rdsErrors.instanceNotFound(kind, identifier);
  const dataDirectory = dataDirectoryOf(cloudDir, record);
  if (isOwn(cloudDir, dataDirectory)) await stopServer(dataDirectory);
  const gone = path.join(folders.instances(cloudDir, kind), `.gone-${randomBytes(6).toString("hex")}`);
  await fs.rename(instanceFolder(cloudDir, kind, identifier), gone);
  await removeOutside(cloudDir, dataDirectory);
  await removeTree(gone);
}

export async function forEachRecord(
  cloudDir: string,
  work: (record: InstanceRecord) => Promise<void>,
  onUnreadable?: OnUnreadable,
): Promise<void> {
  const all: InstanceRecord[] = [];
  for (const kind of kinds) {
    for (const name of await fs.readdir(folders.instances(cloudDir, kind)).catch(() => [])) {
      const record = name.startsWith(".")
        ? undefined
        : readable(() => readInstance(cloudDir, kind, name), onUnreadable);
      if (record) all.push(record);
    }
  }
  await Promise.all(all.map(work));
}

export function checkedIdentifier(kind: Kind, identifier: string): string {
  if (!isIdentifier(identifier, 63)) {
    throw rdsErrors.invalidIdentifier(kind === "instance" ? "DBInstanceIdentifier" : "DBClusterIdentifier");
  }
  return identifier.toLowerCase();
}

export function connectionOf(cloudDir: string, record: InstanceRecord): Connection {
  const credentials = readCredentials(instanceFolder(cloudDir, record.kind, record.identifier));
  const url = (role: keyof Credentials) => {
    const made = connectionUrl(role, credentials, record.port, record.database);
    // Prisma reads the schema from the URL; other clients get it from the role's search_path.
    if (record.schema !== undefined) made.searchParams.set("schema", record.schema);
    return made.href;
  };
  const { identifier, kind, port, database } = record;
  const urls = { adminUrl: url("migrator"), appUrl: url("app"), masterUrl: url("postgres") };
  return { identifier, kind, host: "127.0.0.1", port, database, ...urls };
}
