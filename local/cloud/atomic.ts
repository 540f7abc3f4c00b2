import { chownSync, closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";

let counter = 0;

/**
 * Writes a file so that a reader, or a machine that loses power or disk space, has the old content or the new one, never a
 * part. The folder must be there.
 *
 * @param owner of the file, if it is not to be this process's user
 * @throws the system's error, with the path of the file; the old content is unchanged then
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

/** Writes a new file to its end and through to the disk; where there is one already, it is an error. */
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

/** Makes new names and renames in the folder last through a power cut. */
export function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Undefined: there is no such file. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // ESRCH: a file below /proc whose process has ended.
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    throw error;
  }
}

/** The file is there, but it is not what this program writes. The message names it. */
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
 * The parsed file; undefined when it is not there.
 *
 * @param texts properties that must be there as texts, so that a file of another program is recognised
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

/** What to do about a file that can't be read, where others beside it are still of use. Default: throw. */
export type OnUnreadable = (error: Error) => void;

/** The value, or undefined after `onUnreadable` was told why it can't be read. */
export function readable<T>(read: () => T, onUnreadable: OnUnreadable | undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!onUnreadable) throw error;
    onUnreadable(error as Error);
    return undefined;
  }
}
