import { chownSync, closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";

let counter = 0;

/**
 * Writes a file so that a reader, even after a power cut or on a full disk, finds either the old content or the new
 * one, never a part of it. The folder must exist.
 *
 * @param owner the owner of the file; default: this process's user
 * @throws the system's error with the file's path; the old content is unchanged then
 */
export function writeAtomically(
  path: string,
  content: string | Uint8Array,
  mode = 0o600,
  owner?: { uid: number; gid: number },
): void {
  const draft = `${path}.${process.pid}-${++counter}.tmp`;
  try {
    writeSynced(draft, content, mode);
    if (owner) chownSync(draft, owner.uid, owner.gid);
    renameSync(draft, path);
    syncDirectory(dirname(path));
  } catch (error) {
    rmSync(draft, { force: true });
    throw Object.assign(error as NodeJS.ErrnoException, { path });
  }
}

/** Writes a new file and waits until it is on the disk. @throws Error if the file exists already */
export function writeSynced(path: string, content: string | Uint8Array, mode: number): void {
  const file = openSync(path, "wx", mode);
  try {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    // On a disk that is nearly full a single write may end early without an error.
    for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Makes sure that new names and renames in the folder survive a power cut. */
export function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Returns the content of the file; undefined if there is no such file. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Reading a file below /proc fails with ESRCH if its process has ended.
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    throw error;
  }
}

/** The file exists but does not have the content that this program writes. The message contains its path. */
export class UnreadableFile extends Error {
  override readonly name = "UnreadableFile";

  constructor(
    readonly path: string,
    why: string,
  ) {
    super(`${path} can't be read: ${why}`);
  }
}

/**
 * Returns the parsed file; undefined when it does not exist.
 *
 * @param texts properties that must exist and be texts, so that another program's file is rejected
 * @throws UnreadableFile
 */
export function readJson<T>(path: string, texts: readonly (keyof T & string)[] = []): T | undefined {
  const text = readText(path);
  if (text === undefined) return undefined;
  let value: T;
  try {
    value = JSON.parse(text) as T;
  } catch (error) {
    throw new UnreadableFile(path, (error as Error).message);
  }
  for (const name of texts) {
    if (typeof value?.[name] !== "string") throw new UnreadableFile(path, `it has no ${name}`);
  }
  return value;
}

/** Handles a file that can't be read when other files are still of use. Default: the error is thrown. */
export type OnUnreadable = (error: Error) => void;

/** Returns the value. If it can't be read, `onUnreadable` is called with the error and undefined is returned. */
export function readable<T>(read: () => T, onUnreadable: OnUnreadable | undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!onUnreadable) throw error;
    onUnreadable(error as Error);
    return undefined;
  }
}
