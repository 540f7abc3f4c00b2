import { rmSync } from "node:fs";
import { join } from "node:path";
import { readText, writeAtomically } from "../../text/atomic";

const defectFile = (cloudDir: string) => join(cloudDir, "daemon-defect.txt");

/**
 * Ends the background process at once after an unexpected error, because its memory may be inconsistent. The next
 * command reports the cause (`readDefect`) and starts a new process, which continues from the files on disk.
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

/** The error that ended the last background process, in words; undefined if it did not end with an unexpected error. */
export function readDefect(cloudDir: string): string | undefined {
  return readText(defectFile(cloudDir));
}

/** Deletes the recorded error after it was reported. */
export function forgetDefect(cloudDir: string): void {
  rmSync(defectFile(cloudDir), { force: true });
}

/** Throws a TypeError, ReferenceError or RangeError again, outside of every promise; ignores all other errors. */
export function raiseDefect(error: unknown): void {
  if (![TypeError, ReferenceError, RangeError].some((kind) => error instanceof kind)) return;
  setImmediate(() => {
    throw error;
  });
}
