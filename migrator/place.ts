import type { Migration } from "../migrations/history";
import { formatDuration } from "./duration";
import { StatementFailed, StatementTooSlow } from "./failures/statement";
import type { Group } from "./groups";
import { failedIndex } from "./query";
import type { Run } from "./run";
import { describeSqlError, showPlace } from "./sql-error";

/** Remembers which part of a file an error came from; errors travel through several hands. */
const origins = new WeakMap<object, Group>();

export function rememberOrigin(error: unknown, group: Group): void {
  if (typeof error === "object" && error !== null) origins.set(error, group);
}

/** The SQL error with `file:line:column`, source line and caret, as far as it is known what failed. */
export function sqlEvidence(error: unknown, migration: Migration): string {
  const file = `${migration.name}/migration.sql`;
  const group = origins.get(error as object);
  if (!group) return `${(error as Error).message} (at COMMIT of ${file})`;
  // A position counts from the beginning of what was sent; without one it is at least known which statement it was.
  const positioned = (error as { position?: string }).position !== undefined;
  const failed = group.statements[failedIndex(error)];
  const offset = positioned || !failed ? group.offset : failed.offset;
  return describeSqlError(error, { file, sql: migration.sql, offset });
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
  return new StatementFailed(migration.name, evidence, database, next, error);
}
