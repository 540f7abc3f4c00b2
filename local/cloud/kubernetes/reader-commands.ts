import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { readJson, writeAtomically } from "../../../text/atomic";

/** The commands of the local cloud that messages of pods name in place of the usual ones, by variable. */
export type ReaderCommands = Readonly<Record<"RELEASE_OPS_COMMAND" | "RELEASE_RESTORE_COMMAND", string>>;

const file = (cloudDir: string) => join(cloudDir, "reader-commands.json");

/** Notes the commands for the pods that start from now on. They contain the options that lead to this stack. */
export function noteReaderCommands(cloudDir: string, commands: ReaderCommands): void {
  mkdirSync(cloudDir, { recursive: true, mode: 0o700 });
  writeAtomically(file(cloudDir), JSON.stringify(commands));
}

/** Returns the variables of a pod with these commands. */
export function readerCommands(cloudDir: string): Partial<ReaderCommands> {
  return readJson<ReaderCommands>(file(cloudDir)) ?? {};
}
