import type { Migration } from "../../migrations/history/history";
import { formatDuration } from "../../text/short-duration";
import type { Group } from "../apply/groups";
import type { Run } from "../cli/run";
import { ReadOnlyDatabase } from "../failures/connection";
import { StatementFailed, StatementTooSlow } from "../failures/statement";
import { failedIndex } from "./query";
import { countCharacters, describeSqlError, showPlace } from "./sql-error";

/** Where an error came from. */
interface Origin {
  readonly group: Group;
  /** Index in the group of the statement that failed; beyond its end: what was sent after it. */
  readonly failed: number;
  /** Characters from the group's beginning, counted from 1. */
  readonly position: number | undefined;
}

/** Errors travel through several hands. */
const origins = new WeakMap<object, Origin>();

/**
 * Remembers which part of a file an error came from.
 * @param before statements that were sent before the group in the same message
 * @param head their text
 */
export function attribute(error: unknown, group: Group, before = 0, head = ""): void {
  if (typeof error !== "object" || error === null) return;
  const failed = failedIndex(error) - before;
  const given = (error as { position?: string }).position;
  const position = given === undefined ? undefined : Number(given) - countCharacters(head);
  // A syntax error is found before anything runs: then no statement is complete, and the position tells the place.
  const inside = position !== undefined ? position > 0 : failed >= 0;
  if (inside) origins.set(error, { group, failed: Math.max(failed, 0), position });
}

/** The SQL error with `file:line:column`, source line and caret, as far as it is known what failed. */
export function sqlEvidence(error: unknown, migration: Migration): string {
  const file = `${migration.name}/migration.sql`;
  const origin = origins.get(error as object);
  const { group, failed = 0, position } = origin ?? {};
  const whole = group?.statements.length === 0;
  if (!group || (!whole && failed >= group.statements.length && position === undefined))
    return describeSqlError(error, [`  at COMMIT of ${file}`]).join("\n");
  // A position counts from the beginning of what was sent; without one it is at least known which statement it was.
  const offset = position !== undefined ? group.offset : (group.statements[failed]?.offset ?? group.offset);
  return describeSqlError(error, showPlace({ file, sql: migration.sql, offset }, position)).join("\n");
}

/** Where in the file something stands, for failures that are no SQL errors. */
export function placeOf(migration: Migration, offset: number): string {
  return showPlace({ file: `${migration.name}/migration.sql`, sql: migration.sql, offset }).join("\n");
}

/** The failure for an error of a statement. */
export function statementFailure(
  run: Run,
  migration: Migration,
  error: unknown,
  database: string,
  next: string,
): Error {
  const evidence = sqlEvidence(error, migration);
  const { code, message } = error as { code?: string; message?: string };
  if (code === "57014" && /statement timeout/.test(message ?? ""))
    return new StatementTooSlow(
      migration.name,
      formatDuration(run.settings.statementTimeout),
      evidence,
      database,
      error,
    );
  if (code === "25006") return new ReadOnlyDatabase(message ?? "", error);
  return new StatementFailed(migration.name, evidence, database, next, error);
}
