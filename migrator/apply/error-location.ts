import type { Migration } from "../../migrations/history/history";
import { failedIndex } from "../db/query";
import { countCharacters, describeSqlError, showPlace } from "../db/sql-error";
import type { Group } from "./groups";
import { fileOf } from "./names";

/** The migrator's own statements before and after a group, which are sent in the same message. */
export interface Frame {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** The migrator's own statement that failed: one before the migration's, one that records it, or the COMMIT. */
export type OwnPart = "begin" | "record" | "commit";

/** The place that an error came from. */
interface ErrorLocation {
  readonly group: Group;
  /** The index, in the group, of the statement that failed. */
  readonly failed: number;
  /**
   * The error's position in characters from the group's beginning, counted from 1; undefined: no position in the group.
   */
  readonly position: number | undefined;
  /** The migrator's own statement that failed; undefined: a statement of the migration failed. */
  readonly own: OwnPart | undefined;
}

/** An error to which {@link locate} has added its location. */
interface LocatedError extends Error {
  location?: ErrorLocation;
  position?: string;
}

/** Stores in an error which part of a message caused it. */
export function locate(error: unknown, group: Group, { before, after }: Frame = { before: [], after: [] }): void {
  if (!(error instanceof Error)) return;
  const located: LocatedError = error;
  const index = failedIndex(error) - before.length;
  const head = before.map((text) => `${text};\n`).join("");
  const position = located.position === undefined ? undefined : Number(located.position) - countCharacters(head);
  // A syntax error is found before anything runs. No statement is complete then, and only the position shows the place.
  const inText = position !== undefined && position > 0 && position <= countCharacters(group.text) + 1;
  const beyond = index - (group.statements.length || (group.text === "" ? 0 : Number.POSITIVE_INFINITY));
  const own =
    beyond >= 0 ? (after[beyond] === "COMMIT" ? "commit" : "record") : index < 0 && !inText ? "begin" : undefined;
  located.location = { group, failed: Math.max(index, 0), position: inText ? position : undefined, own };
}

/** Returns which of the migrator's own statements caused an error; undefined: the migration did, or it is unknown. */
export function ownPartOf(error: LocatedError): OwnPart | undefined {
  return error.location?.own;
}

const OWN_PLACE: Record<OwnPart, string> = {
  begin: "in the migrator's own work before",
  record: "while the migrator recorded",
  commit: "at COMMIT of",
};

/** Describes an SQL error with `file:line:column`, source line and caret, as far as the failed statement is known. */
export function sqlEvidence(error: unknown, migration: Migration): string {
  const file = fileOf(migration);
  const { location } = error as LocatedError;
  if (!location || location.own)
    return describeSqlError(error, [`  ${OWN_PLACE[location?.own ?? "commit"]} ${file}`]).join("\n");
  const { group, failed, position } = location;
  // A position counts from the beginning of the group. Without one, the statement that failed is still known.
  const offset = position !== undefined ? group.offset : (group.statements[failed]?.offset ?? group.offset);
  return describeSqlError(error, showPlace({ file, sql: migration.sql, offset }, position)).join("\n");
}

/** Describes a place in the migration's file, for failures that are not SQL errors. */
export function locationIn(migration: Migration, offset: number): string {
  return showPlace({ file: fileOf(migration), sql: migration.sql, offset }).join("\n");
}
