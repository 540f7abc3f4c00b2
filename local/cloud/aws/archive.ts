import { promises as fs } from "node:fs";
import path from "node:path";
import type { Account } from "../../../embedded/account";
import { locateBinaries } from "../../../embedded/binaries";
import { copyTree, exists, removeTree, syncPath, syncTree } from "../../../embedded/files";
import { runningServer } from "../../../embedded/postgres";
import { until } from "../../../embedded/processes";
import { readJson, writeAtomically } from "../../../text/atomic";
import { copyServer } from "./backup";
import { dataDirectoryOf, type InstanceRecord, instanceFolder, readCredentials } from "./records";
import { connectAsSuperuser } from "./roles";

/**
 * Automated backups of RDS, by the means of Postgres itself (manual, 26.3): a base backup, and the write-ahead log since
 * then, which the server copies to an archive. A server without them runs no archiver.
 */
interface BaseBackup {
  /** The time at which the base backup was complete, from which a moment can be restored. */
  end: string;
}

/** The longest wait for the archiver to copy a segment, in milliseconds. */
const ARCHIVE_MS = 30_000;

/** The distance to the present up to which a moment can be restored, in milliseconds. It is five minutes on RDS. */
const BEHIND_MS = 1_000;

/** The folder into which a server copies its log. It is beside the server's files, so that its user can write to it. */
function archiveOf(dataDirectory: string): string {
  return path.join(path.dirname(dataDirectory), "archive");
}

/** Creates the archive for the server's user, and returns the settings with which a server uses it. */
export async function archiveSettings(
  dataDirectory: string,
  account: Account | undefined,
): Promise<Record<string, string>> {
  const archive = archiveOf(dataDirectory);
  await fs.mkdir(archive, { recursive: true, mode: 0o700 });
  if (account) await fs.chown(archive, account.uid, account.gid);
  const file = `${quoted(archive)}/%f`;
  return { archive_mode: "on", archive_command: `cp %p ${file}.part && mv ${file}.part ${file}` };
}

/** Returns the settings with which a server recovers to a moment at its next start. */
export function recoverySettings({ to, archive }: NonNullable<InstanceRecord["recovery"]>): Record<string, string> {
  return {
    restore_command: `cp ${quoted(archive)}/%f %p`,
    recovery_target_time: to,
    recovery_target_action: "promote",
    // The server counts as started only when it has recovered, not while it could be read meanwhile.
    hot_standby: "off",
  };
}

/** Quotes a path for a shell; in these settings a percent sign is doubled. */
function quoted(file: string): string {
  return `"${file.replace(/[\\"$`]/g, "\\$&").replaceAll("%", "%%")}"`;
}

const baseFolder = (cloudDir: string, { kind, identifier }: InstanceRecord) =>
  path.join(instanceFolder(cloudDir, kind, identifier), "base");

function readBase(cloudDir: string, record: InstanceRecord): BaseBackup | undefined {
  return readJson<BaseBackup>(path.join(baseFolder(cloudDir, record), "base.json"), ["end"]);
}

/** Takes the base backup of a server that archives its log, unless there is one. */
export async function takeBaseBackup(cloudDir: string, record: InstanceRecord, signal: AbortSignal): Promise<void> {
  if (readBase(cloudDir, record)) return;
  const server = await runningServer(dataDirectoryOf(cloudDir, record));
  if (!server) throw new Error(`${record.identifier} does not run, so it can't be backed up.`);
  const folder = baseFolder(cloudDir, record);
  const partial = `${folder}.partial`;
  await removeTree(partial);
  await fs.mkdir(partial, { mode: 0o700 });
  await copyServer({
    ...{ server, signal, target: path.join(partial, "data"), label: "base" },
    credentials: readCredentials(path.dirname(folder)),
    onProgress: () => undefined,
  });
  await syncTree(partial);
  const base: BaseBackup = { end: new Date().toISOString() };
  writeAtomically(path.join(partial, "base.json"), JSON.stringify(base));
  await removeTree(folder);
  await fs.rename(partial, folder);
  await syncPath(path.dirname(folder));
}

/** The moments to which a database can be restored; undefined if it has no automated backups, or doesn't run. */
export async function restorableWindow(
  cloudDir: string,
  record: InstanceRecord,
): Promise<{ earliest: Date; latest: Date } | undefined> {
  const base = (record.backupRetention ?? 0) > 0 ? readBase(cloudDir, record) : undefined;
  if (!base || !(await runningServer(dataDirectoryOf(cloudDir, record)))) return undefined;
  return { earliest: new Date(base.end), latest: new Date(Date.now() - BEHIND_MS) };
}

/**
 * Copies the base backup to a new data directory whose server recovers to the moment at its first start.
 * @returns what the record of the new server must say for that
 */
export async function fillToMoment(
  cloudDir: string,
  source: InstanceRecord,
  to: Date,
  dataDirectory: string,
): Promise<NonNullable<InstanceRecord["recovery"]>> {
  await archiveEverything(cloudDir, source);
  const { account } = await locateBinaries();
  await copyTree(path.join(baseFolder(cloudDir, source), "data"), dataDirectory, { owner: account });
  writeAtomically(path.join(dataDirectory, "recovery.signal"), "", 0o600, account);
  await syncTree(dataDirectory);
  // Postgres reads this setting before it knows its time zones, so that it takes no Z.
  return {
    to: to.toISOString().replace("T", " ").replace("Z", "+00"),
    archive: archiveOf(dataDirectoryOf(cloudDir, source)),
  };
}

/**
 * Has the server archive everything up to now. The transaction at the end is for the recovery: Postgres refuses to stop
 * at a moment after the last transaction of its log.
 */
async function archiveEverything(cloudDir: string, source: InstanceRecord): Promise<void> {
  const dataDirectory = dataDirectoryOf(cloudDir, source);
  const server = await runningServer(dataDirectory);
  if (!server) throw new Error(`${source.identifier} does not run, so the end of its log can't be archived.`);
  const credentials = readCredentials(instanceFolder(cloudDir, source.kind, source.identifier));
  const client = await connectAsSuperuser(credentials, server.port);
  try {
    await client.query("SELECT pg_current_xact_id()");
    const { rows } = await client.query<{ file: string }>("SELECT pg_walfile_name(pg_switch_wal()) AS file");
    const segment = path.join(archiveOf(dataDirectory), rows[0]!.file);
    if (!(await until(() => exists(segment), { timeout: ARCHIVE_MS })))
      throw new Error(`${source.identifier} did not archive ${rows[0]!.file} within ${ARCHIVE_MS / 1000} s.`);
  } finally {
    await client.end();
  }
}

/** Whether the running server archives its log. */
export async function archives(cloudDir: string, record: InstanceRecord): Promise<boolean> {
  const server = await runningServer(dataDirectoryOf(cloudDir, record));
  if (!server) return false;
  const credentials = readCredentials(instanceFolder(cloudDir, record.kind, record.identifier));
  const client = await connectAsSuperuser(credentials, server.port);
  try {
    const { rows } = await client.query<{ archive_mode: string }>("SHOW archive_mode");
    return rows[0]?.archive_mode === "on";
  } finally {
    await client.end();
  }
}
