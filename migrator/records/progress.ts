import { createHash } from "node:crypto";
import { escapeLiteral } from "pg";
import type { PlannedStatement } from "../../migrations/history/plan";
import type { Records } from "./records";

/** The progress of a migration that runs in steps. */
export interface Progress {
  /** The id of the migration's row in `_prisma_migrations`. */
  readonly historyId: string;
  readonly migration: string;
  /** The number of statements that are complete. */
  readonly done: number;
  /** The hash of the texts of the complete statements: a file may be corrected after them, but not in them. */
  readonly doneHash: string;
  /** The index of a statement outside transactions that was begun and may have ended; null if there is none. */
  readonly attempted: number | null;
  readonly note: Record<string, unknown>;
}

/** Reads the progress of all unfinished migrations that this program began in the schema. */
export async function readProgress(records: Records): Promise<Progress[]> {
  if (!(await records.readable())) return [];
  return records.session.rows<Progress>(
    `SELECT history_id AS "historyId", migration, done, done_hash AS "doneHash", attempted, note
     FROM _release.step WHERE schema_name = $1`,
    [records.schema],
  );
}

/** Computes the hash of statements by which an edited file is detected. Other line ends give the same hash. */
export function hashOf(statements: readonly PlannedStatement[]): string {
  const hash = createHash("sha256");
  for (const { text } of statements) hash.update(`${text.replaceAll("\r\n", "\n")}\0`);
  return hash.digest("hex");
}

/** Makes the statement that records that a migration was begun. */
export function beginProgress(id: string, schema: string, migration: string): string {
  return `INSERT INTO _release.step (history_id, schema_name, migration) VALUES (${escapeLiteral(id)}, ${escapeLiteral(schema)}, ${escapeLiteral(migration)})`;
}

/** Makes the statement that records that a statement outside transactions is about to be tried. */
export function markAttempted(id: string, index: number): string {
  return `UPDATE _release.step SET attempted = ${index}, updated_at = pg_catalog.clock_timestamp() WHERE history_id OPERATOR(pg_catalog.=) ${escapeLiteral(id)}`;
}

/**
 * Makes the statement that records which statements are complete.
 * @param done the statements that are complete now
 */
export function markDone(id: string, done: readonly PlannedStatement[]): string {
  return `UPDATE _release.step SET done = ${done.length}, done_hash = ${escapeLiteral(hashOf(done))}, attempted = NULL, note = '{}', updated_at = pg_catalog.clock_timestamp() WHERE history_id OPERATOR(pg_catalog.=) ${escapeLiteral(id)}`;
}

/** Makes the statement that records how far a batched statement has come. */
export function writeNote(id: string, note: Record<string, unknown>): string {
  return `UPDATE _release.step SET note = ${escapeLiteral(JSON.stringify(note))}, updated_at = pg_catalog.clock_timestamp() WHERE history_id OPERATOR(pg_catalog.=) ${escapeLiteral(id)}`;
}

/** Makes the statement that deletes the progress of a migration that is complete. */
export function endProgress(id: string): string {
  return `DELETE FROM _release.step WHERE history_id OPERATOR(pg_catalog.=) ${escapeLiteral(id)}`;
}
