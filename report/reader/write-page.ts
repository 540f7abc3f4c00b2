import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolder } from "../../text/make-folder";

/** Writes the page as a whole or not at all, so that a program that reads it for a ticket never reads a part. */
export function writePage(path: string, text: string): void {
  makeFolder(dirname(path));
  const draft = `${path}.${process.pid}.tmp`;
  try {
    const file = openSync(draft, "wx", 0o644);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}
