import { CommandFailure, EXIT } from "../../by-hand/failure";
import type { CopyPurpose } from "../target";

/** The longest name of a database. */
const LONGEST = 63;

/** A name that needs no quotes in SQL, and that may be the value of a label. */
const NAME = /^[a-z][a-z0-9_]{0,61}[a-z0-9]$/;

/**
 * Returns the name of a new copy: the source's own, and the minute in which the restore begins.
 * @param base the name of the source, without what an earlier restore has added to it
 * @param taken the names that databases have already
 */
export function databaseCopyName(base: string, now: Date, taken: ReadonlySet<string>): string {
  const minute = now.toISOString().replace(/[-:]/g, "").replace("T", "_").slice(0, 13);
  const stem = base
    .toLowerCase()
    .replace(/[^a-z0-9_]/g, "_")
    .replace(/^[^a-z]/, "d");
  for (let number = 0; ; number++) {
    const suffix = `_restored_${minute}${number === 0 ? "" : String.fromCharCode("a".charCodeAt(0) + number)}`;
    const name = `${stem.slice(0, LONGEST - suffix.length)}${suffix}`;
    if (!taken.has(name)) return name;
  }
}

/** Returns the name of the copy that a check or a rehearsal makes. */
export function fixedCopyName(app: string, purpose: CopyPurpose): string {
  const suffix = `_restored_${purpose}`;
  return `${stemOf(app).slice(0, LONGEST - suffix.length)}${suffix}`;
}

function stemOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9_]/g, "_")
    .replace(/^[^a-z]/, "d");
}

/**
 * Checks the name of `--name`.
 * @throws CommandFailure
 */
export function checkedCopyName(name: string): string {
  if (NAME.test(name)) return name;
  throw new CommandFailure(
    EXIT.usage,
    `--name ${name} is no name for the copy: it must have small letters, digits and _, begin with a letter, end with a letter or digit, and have at most ${LONGEST} characters.`,
    "not connected to; nothing was changed.",
    "the same command with another --name, or without it",
  );
}
