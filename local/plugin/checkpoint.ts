import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { readText, writeAtomically } from "../../text/atomic";
import type { Json } from "../cloud/provider";

/** The fields of the CLI's record of a stack that are read here (sdk/go/common/apitype/core.go, `CheckpointV3`). */
export interface Checkpoint {
  checkpoint: {
    latest?: { resources?: { urn: string; type: string; custom: boolean; outputs?: Record<string, Json> }[] };
  };
}

/** The CLI's record of the stack and all its copies are unreadable. */
export class CheckpointLost extends Error {
  override readonly name = "CheckpointLost";

  constructor(file: string) {
    super(
      `${file}, the Pulumi CLI's record of the stack, is damaged, and so is every backup of it.\n` +
        "Database and app are as they were; what belongs to the stack is no longer known.\n" +
        "Next: put a copy of that file back from your own backup, or delete it, and run the same command again: " +
        "it takes over the snapshot and the objects that are there.",
    );
  }
}

/** The path of the CLI's record of a stack in its file backend. */
export function cliCheckpoint(stateDir: string, project: string, stack: string): string {
  return join(resolve(stateDir), ".pulumi/stacks", project, `${stack}.json`);
}

/**
 * Reads the CLI's record of a stack. A `kill -9` can leave the file empty. Then the newest readable copy is used: the
 * one that the CLI made before its last write, or one that it made at the end of an earlier command.
 *
 * @returns undefined when the CLI has never had this stack
 * @throws CheckpointLost when the file and every copy of it are damaged
 */
export function readCheckpoint(stateDir: string, project: string, stack: string): Checkpoint | undefined {
  return newestReadable(stateDir, project, stack)?.checkpoint;
}

/**
 * Replaces a damaged record by its newest readable copy. The caller must hold the stack's lock.
 *
 * @returns a message for the user about what was done; undefined when nothing had to be done
 * @throws CheckpointLost when no copy can be read
 */
export function restoreCheckpoint(stateDir: string, project: string, stack: string): string | undefined {
  const file = cliCheckpoint(stateDir, project, stack);
  const readable = newestReadable(stateDir, project, stack);
  if (!readable || readable.file === file) return undefined;
  writeAtomically(file, readable.text, 0o600);
  return (
    `${file}, the Pulumi CLI's record of the stack, was damaged by a command that was killed. ` +
    `It was replaced by the CLI's own backup ${readable.file}. What was made after that backup is taken over.`
  );
}

function newestReadable(stateDir: string, project: string, stack: string) {
  const file = cliCheckpoint(stateDir, project, stack);
  if (readText(file) === undefined) return undefined;
  for (const candidate of [file, `${file}.bak`, ...backups(stateDir, project, stack)]) {
    const text = readText(candidate) ?? "";
    const checkpoint = parseCheckpoint(text);
    if (checkpoint) return { file: candidate, text, checkpoint };
  }
  throw new CheckpointLost(file);
}

function parseCheckpoint(text: string): Checkpoint | undefined {
  try {
    const parsed = JSON.parse(text) as Partial<Checkpoint> | null;
    return typeof parsed?.checkpoint === "object" && parsed.checkpoint !== null ? (parsed as Checkpoint) : undefined;
  } catch {
    return undefined;
  }
}

/** The copies that the CLI makes at the end of each command, the newest first; named `STACK.NANOSECONDS.json`. */
function backups(stateDir: string, project: string, stack: string): string[] {
  const directory = join(resolve(stateDir), ".pulumi/backups", project, stack);
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith(".json"));
    return names
      .sort()
      .reverse()
      .map((name) => join(directory, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
