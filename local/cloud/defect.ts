import { rmSync } from "node:fs";
import { join } from "node:path";
import { readText, writeAtomically } from "./atomic";

const defectFile = (cloudDir: string) => join(cloudDir, "daemon-defect.txt");

/**
 * Ends the background process at once, after a mistake of its own: what it has in memory can't be relied on any more. The
 * next command tells why (`readDefect`), and starts a new process, which goes on from what is on disk.
 */
export function endByDefect(cloudDir: string, error: unknown): never {
  const at = new Date().toISOString();
  console.error(`${at} The background process ends by a mistake of its own:`, error);
  try {
    const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    writeAtomically(
      defectFile(cloudDir),
      `The local cloud's background process ended by a mistake of its own at ${at} (${why}). Nobody reaches the app until ` +
        "it runs again; database, snapshots and state are as they were last written.",
    );
  } catch (problem) {
    console.error(problem);
  }
  process.exit(1);
}

/** What ended the last background process, in words; undefined when that was no mistake of its own. */
export function readDefect(cloudDir: string): string | undefined {
  return readText(defectFile(cloudDir));
}

/** The mistake has been told. */
export function forgetDefect(cloudDir: string): void {
  rmSync(defectFile(cloudDir), { force: true });
}

/** Throws an error that only a mistake in this program makes outside of every promise, where nothing catches it. */
export function raiseDefect(error: unknown): void {
  if (![TypeError, ReferenceError, RangeError].some((kind) => error instanceof kind)) return;
  setImmediate(() => {
    throw error;
  });
}
