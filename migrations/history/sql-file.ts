import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { checksumOf, decodeScript, type Migration } from "./history";

/**
 * The largest file that is read, in bytes. It is stored in one ConfigMap with room for the rest of that object
 * (kubernetes/kubernetes, ValidateConfigMap: 1 MiB).
 */
const LARGEST_BYTES = 900 * 1024;

/** A file of SQL can't be used. The message is a sentence about it. */
export class SqlFileError extends Error {
  override readonly name = "SqlFileError";
}

/**
 * Reads a file of SQL that is no migration, and returns it in the form of one.
 * @param name the file's name in messages and in the audit trail; default: its own
 * @throws SqlFileError if it doesn't exist, is no file, is too large, or is not UTF-8
 */
export function readSqlFileSync(path: string, name = basename(path)): Migration {
  let bytes: Buffer;
  try {
    // A symbolic link is followed, because Kubernetes mounts the files of a ConfigMap as links. A FIFO or a device may
    // have no end.
    if (!statSync(path).isFile()) throw new SqlFileError(`${path} is no file (a folder, FIFO, socket or device).`);
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof SqlFileError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new SqlFileError(code === "ENOENT" ? `There is no file ${path}.` : `${path} can't be read: ${message}.`);
  }
  if (bytes.length > LARGEST_BYTES)
    throw new SqlFileError(
      `${path} has ${bytes.length} bytes, and at most ${LARGEST_BYTES} are allowed; write a migration instead.`,
    );
  const decoded = decodeScript(bytes);
  if (decoded.problem !== undefined) throw new SqlFileError(`${path} ${decoded.problem}.`);
  return { name, sql: decoded.sql, checksum: checksumOf(bytes), file: name };
}
