import { randomBytes } from "node:crypto";
import { promises as fs } from "node:fs";
import path from "node:path";
import { copyTree } from "../../../embedded/files";
import type { Server } from "../../../embedded/postgres";
import { writeAtomically } from "../../../text/atomic";
import type { Credentials } from "./records";
import { connectAsSuperuser } from "./roles";

export interface CopyServerOptions {
  server: Server;
  credentials: Credentials;
  /** The directory of the copy; it must not exist. */
  target: string;
  /** The name in the backup label. */
  label: string;
  /** Called with 0…99 while the copy is made. */
  onProgress(percent: number): void;
  signal: AbortSignal;
}

/**
 * Makes a physical copy of a running server with the low-level backup API (Postgres manual, 26.3.3). The files change
 * while they are copied. The WAL from the start to the end of the copy is kept by a replication slot and copied last;
 * a server that starts on the copy replays it and has the data of the copy's end. Returns the copy's size in bytes.
 */
export async function copyServer(options: CopyServerOptions): Promise<number> {
  const { server, target, signal } = options;
  const source = server.dataDirectory;
  const client = await connectAsSuperuser(options.credentials, server.port);
  try {
    // The slot is temporary and ends with this session, so that a killed cloud leaves no slot that keeps WAL for ever.
    const slot = `snapshot_${randomBytes(8).toString("hex")}`;
    await client.query("SELECT pg_create_physical_replication_slot($1, true, true)", [slot]);
    const begin = await client.query<{ file: string }>(
      "SELECT pg_walfile_name(pg_backup_start($1, fast => true)) AS file",
      [options.label],
    );
    const total = Math.max(1, await sizeOf(source));
    let copied = 0;
    await copyTree(source, target, {
      skip: leaveOut,
      signal,
      onFile(bytes) {
        copied += bytes;
        options.onProgress(Math.min(99, Math.floor((copied / total) * 100)));
      },
    });
    await copyControlFile(source, target);
    signal.throwIfAborted();
    const end = await client.query<{ file: string; label: string; tablespaces: string }>(
      `SELECT pg_walfile_name(lsn) AS file, labelfile AS label, spcmapfile AS tablespaces
       FROM pg_backup_stop(wait_for_archive => false)`,
    );
    const { file, label, tablespaces } = end.rows[0]!;
    if (tablespaces.trim() !== "") throw new Error("A database with tablespaces can't be copied by the local cloud.");
    writeAtomically(path.join(target, "backup_label"), label);
    copied += await copyLog(source, target, begin.rows[0]!.file, file);
    return copied;
  } finally {
    // Closing the session also ends the backup if it was not ended above.
    await client.end();
  }
}

/** Whether a file is left out (manual, 26.3.4): a server creates it at its start, or it belongs to one process. */
function leaveOut(name: string): boolean {
  const [folder, ...rest] = name.split(path.sep);
  const contents = ["pg_wal", "pg_replslot", "pg_dynshmem", "pg_notify", "pg_serial", "pg_snapshots"];
  if (rest.length > 0 && [...contents, "pg_stat_tmp", "pg_subtrans"].includes(folder!)) return true;
  const file = path.basename(name);
  if (file.startsWith("pgsql_tmp") || file.startsWith("pg_internal.init")) return true;
  if (name === path.join("global", "pg_control")) return true;
  return rest.length === 0 && /^(postmaster\.(pid|opts)|backup_label|tablespace_map|.*\.(old|new|tmp))$/.test(file);
}

/** Copies pg_control, a page that is rewritten in place. It is read until two readings are equal, so it is not torn. */
async function copyControlFile(source: string, target: string): Promise<void> {
  const file = path.join("global", "pg_control");
  for (let last: Buffer | undefined; ; ) {
    const now = await fs.readFile(path.join(source, file));
    if (last?.equals(now)) return fs.writeFile(path.join(target, file), now, { mode: 0o600 });
    last = now;
  }
}

/** Copies the WAL from the first to the last file of the backup. The files' names sort in the order of the WAL. */
async function copyLog(source: string, target: string, first: string, last: string): Promise<number> {
  const files = (await fs.readdir(path.join(source, "pg_wal")))
    .filter((name) => /^[0-9A-F]{24}$/.test(name) && name >= first && name <= last)
    .sort();
  if (files[0] !== first || files.at(-1) !== last) {
    throw new Error(`The log from ${first} to ${last} is not complete: ${files.join(", ") || "nothing is there"}.`);
  }
  let bytes = 0;
  for (const name of files) {
    const copy = path.join(target, "pg_wal", name);
    await fs.copyFile(path.join(source, "pg_wal", name), copy, fs.constants.COPYFILE_FICLONE);
    bytes += (await fs.stat(copy)).size;
  }
  return bytes;
}

async function sizeOf(directory: string, relative = ""): Promise<number> {
  let bytes = 0;
  for (const entry of await fs.readdir(path.join(directory, relative), { withFileTypes: true })) {
    const name = path.join(relative, entry.name);
    if (leaveOut(name)) continue;
    if (entry.isDirectory()) bytes += await sizeOf(directory, name).catch(() => 0);
    else
      bytes += await fs
        .stat(path.join(directory, name))
        .then((stat) => stat.size)
        .catch(() => 0);
  }
  return bytes;
}
