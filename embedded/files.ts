import { execFile } from "node:child_process";
import { constants, promises as fs } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import type { Account } from "./account";

/** Makes sure that renames and new names in this directory, or the content of this file, survive a power cut. */
export async function syncPath(directory: string): Promise<void> {
  const handle = await fs.open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Writes a directory tree to the disk. File by file this takes a third of a second on Linux and seconds on macOS, where
 * each fsync waits for the drive. Therefore the whole file system is written at once if there is a tool for it.
 */
export async function syncTree(directory: string): Promise<void> {
  const run = (...args: string[]) =>
    promisify(execFile)("sync", args).then(
      () => true,
      () => false,
    );
  if (process.platform === "linux" && (await run("-f", directory))) return;
  // The command passes all data to the drive; one fsync makes the drive store it.
  if (await run()) return syncPath(directory);
  for (const entry of await fs.readdir(directory, { withFileTypes: true })) {
    const name = path.join(directory, entry.name);
    if (entry.isDirectory()) await syncTree(name);
    else if (entry.isFile()) await syncPath(name);
  }
  await syncPath(directory);
}

/** Removes a tree, with retries because the rest of a killed program may still write to it for a moment. */
export async function removeTree(directory: string): Promise<void> {
  await fs.rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}

export async function exists(file: string): Promise<boolean> {
  return fs.stat(file).then(
    () => true,
    (error) => {
      if (isMissing(error)) return false;
      throw error;
    },
  );
}

export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR";
}

export interface CopyOptions {
  /** The owner of the copy; only root can set it. */
  owner?: Account | undefined;
  /** Returns whether to leave out an entry and everything below it; `relative` is its path inside the tree. */
  skip?(relative: string, isDirectory: boolean): boolean;
  /** Called with the size in bytes of each copied file. */
  onFile?(bytes: number): void;
  signal?: AbortSignal;
}

/**
 * Copies a tree, as copy-on-write clones if the file system supports them. Files that vanish meanwhile are left out: a
 * running server may drop tables during the copy, and replaying its WAL repeats that.
 */
export async function copyTree(from: string, to: string, options: CopyOptions = {}, relative = ""): Promise<void> {
  options.signal?.throwIfAborted();
  const source = path.join(from, relative);
  const target = path.join(to, relative);
  const { mode } = await fs.stat(source);
  // The copy of a read-only directory must be writable, so that files can be added to it.
  await fs.mkdir(target, { recursive: true, mode: mode | 0o700 });
  if (options.owner) await fs.chown(target, options.owner.uid, options.owner.gid);
  const entries = await fs.readdir(source, { withFileTypes: true });
  const files: string[] = [];
  for (const entry of entries) {
    const name = path.join(relative, entry.name);
    if (options.skip?.(name, entry.isDirectory())) continue;
    if (entry.isDirectory()) await copyTree(from, to, options, name);
    else if (entry.isSymbolicLink()) {
      await fs.symlink(await fs.readlink(path.join(from, name)), path.join(to, name));
    } else files.push(name);
  }
  await inParallel(8, files, async (name) => {
    options.signal?.throwIfAborted();
    const copy = path.join(to, name);
    try {
      await fs.copyFile(path.join(from, name), copy, constants.COPYFILE_FICLONE);
    } catch (error) {
      if (isMissing(error)) return;
      throw error;
    }
    if (options.owner) await fs.chown(copy, options.owner.uid, options.owner.gid);
    if (options.onFile) options.onFile((await fs.stat(copy)).size);
  });
}

async function inParallel<T>(width: number, items: T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}
