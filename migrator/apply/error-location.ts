import type { Migration } from "../../migrations/history/history";
import { failedIndex } from "../db/query";
import { countCharacters, describeSqlError, showPlace } from "../db/sql-error";
import type { Group } from "./groups";

/** A group as it is sent, with the migrator's own statements around it in the same message. */
export interface Frame {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** Which of the migrator's own statements failed: one before the migration's, one that records it, or the COMMIT. */
export type OwnPart = "begin" | "record" | "commit";

/** Where an error came from. */
interface ErrorLocation {
  readonly group: Group;
  /** Index in the group of the statement that failed. */
  readonly failed: number;
  /** Characters from the group's beginning, counted from 1. */
  readonly position: number | undefined;
  /** Set where no statement of the migration failed. */
  readonly own: OwnPart | undefined;
}

/** An error that {@link locate} has seen. */
interface LocatedError extends Error {
  location?: ErrorLocation;
  position?: string;
}

/** Notes in an error which part of a message it came from. */
export function locate(error: unknown, group: Group, { before, after }: Frame = { before: [], after: [] }): void {
  if (!(error instanceof Error)) return;
  const located: LocatedError = error;
  const index = failedIndex(error) - before.length;
  const head = before.map((text) => `${text};\n`).join("");
  const position = located.position === undefined ? undefined : Number(located.position) - countCharacters(head);
  // A syntax error is found before anything runs: then no statement is complete, and the position tells the place.
  const inText = position !== undefined && position > 0 && position <= countCharacters(group.text) + 1;
  const beyond = index - (group.statements.length || (group.text === "" ? 0 : Number.POSITIVE_INFINITY));
  const own =
    beyond >= 0 ? (after[beyond] === "COMMIT" ? "commit" : "record") : index < 0 && !inText ? "begin" : undefined;
  located.location = { group, failed: Math.max(index, 0), position: inText ? position : undefined, own };
}

/** Tells which own statement of the migrator an error came from; undefined: it came from the migration, or it is not known. */
export function ownPartOf(error: LocatedError): OwnPart | undefined {
  return error.location?.own;
}

const OWN_PLACE: Record<OwnPart, string> = {
  begin: "in the migrator's own work before",
  record: "while the migrator recorded",
  commit: "at COMMIT of",
};

/** Writes the SQL error with `file:line:column`, source line and caret, as far as it is known what failed. */
export function sqlEvidence(error: unknown, migration: Migration): string {
  const file = `${migration.name}/migration.sql`;
  const { location } = error as LocatedError;
  if (!location || location.own)
    return describeSqlError(error, [`  ${OWN_PLACE[location?.own ?? "commit"]} ${file}`]).join("\n");
  const { group, failed, position } = location;
  // A position counts from the beginning of what was sent; without one it is at least known which statement it was.
  const offset = position !== undefined ? group.offset : (group.statements[failed]?.offset ?? group.offset);
  return describeSqlError(error, showPlace({ file, sql: migration.sql, offset }, position)).join("\n");
}

/** Writes where in the file something stands, for failures that are no SQL errors. */
export function locationIn(migration: Migration, offset: number): string {
  return showPlace({ file: `${migration.name}/migration.sql`, sql: migration.sql, offset }).join("\n");
}
