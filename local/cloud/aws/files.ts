import { randomBytes } from "node:crypto";
import { constants, promises as fs } from "node:fs";
import path from "node:path";
import type { Account } from "./account";

/** Writes a file whole or not at all: a reader, or the next run after a kill, sees the old content or the new. */
export async function writeFileAtomic(file: string, content: string, mode = 0o644): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  const handle = await fs.open(temporary, "wx", mode);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await fs.rename(temporary, file);
  await syncDirectory(path.dirname(file));
}

/** Makes renames and new names in this directory last through a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await fs.open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function readJson<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await fs.readFile(file, "utf8")) as T;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
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
  /** Owner of the copy; only root can give files away. */
  owner?: Account;
  /** Left out, with everything below it; `relative` is the path inside the tree. */
  skip?(relative: string, isDirectory: boolean): boolean;
  /** Told the bytes of each file once it is copied. */
  onFile?(bytes: number): void;
  signal?: AbortSignal;
}

/**
 * Copies a tree, as copy-on-write clones where the file system can. Files that vanish meanwhile are left out: a running
 * server drops tables while it is being copied, and its log replays that.
 */
export async function copyTree(from: string, to: string, options: CopyOptions = {}, relative = ""): Promise<void> {
  options.signal?.throwIfAborted();
  const source = path.join(from, relative);
  const target = path.join(to, relative);
  const { mode } = await fs.stat(source);
  await fs.mkdir(target, { recursive: true, mode });
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
