import type { Migration } from "../../migrations/history/history";
import type { PlannedStatement } from "../../migrations/history/plan";
import { formatDuration } from "../../text/short-duration";
import { type Endings, translateError } from "../db/translate-error";
import { ReadOnlyDatabase } from "../failures/connection";
import { NotRecorded } from "../failures/history";
import { OwnWorkRefused, StatementFailed, StatementTooSlow } from "../failures/statement";
import type { Run } from "../run";
import { bookkeepingChanges, mayChangeBookkeeping } from "./bookkeeping";
import { locationIn, ownPartOf, sqlEvidence } from "./error-location";
import { fileOf, titleOf } from "./names";

/** The work on a migration that ended with an error. */
export interface FailedWork {
  readonly migration: Migration;
  /** The statements that may have run before the error, including the one that failed. */
  readonly tried: readonly PlannedStatement[];
  /** The state of the database now. */
  readonly state: string;
  /** The state of the database if the connection was lost. */
  readonly afterLoss: string;
  /** The next step for the user if a statement failed. */
  readonly next: string;
}

/** Returns the failure to report for an error in the work on a migration. */
export function migrationFailure(run: Run, error: unknown, work: FailedWork): unknown {
  const refused: Endings["refused"] = (refusal) => statementFailure(run, refusal, work);
  return translateError(error, run, { afterStop: work.state, afterLoss: work.afterLoss, refused });
}

function statementFailure(
  run: Run,
  error: Error & { code: string },
  { migration, tried, state, next }: FailedWork,
): Error {
  const own = ownPartOf(error);
  if (own === "begin") return new OwnWorkRefused(error, state);
  if (own === "record") return notRecorded(run, error, migration, tried, state);
  const evidence = sqlEvidence(error, migration);
  const { code, message } = error;
  if (code === "57014" && /statement timeout/.test(message)) {
    const limit = formatDuration(run.settings.statementTimeout);
    return new StatementTooSlow(titleOf(migration), limit, evidence, state, error);
  }
  if (code === "25006" && !tried.some(({ text }) => makesReadOnly(text))) return new ReadOnlyDatabase(message, error);
  return new StatementFailed(titleOf(migration), evidence, state, next, error);
}

/**
 * Returns the failure for a migration that ran, but whose record Postgres refused. Mostly the migration has changed the
 * table in which it is recorded.
 */
function notRecorded(
  { table }: Run,
  error: Error & { code: string },
  migration: Migration,
  tried: readonly PlannedStatement[],
  state: string,
): Error {
  const readOnly = error.code === "25006";
  const certain = bookkeepingChanges(tried, table.schema);
  const likely = tried.filter(({ text }) => (readOnly ? makesReadOnly(text) : mayChangeBookkeeping(text)));
  if (readOnly && certain.length + likely.length === 0) return new ReadOnlyDatabase(error.message, error);
  const culprits = new Set(certain.length > 0 ? certain.map(({ statement }) => statement) : likely);
  return new NotRecorded(
    { title: titleOf(migration), file: fileOf(migration) },
    error,
    certain.map(({ statement, what }) => `${what} in line ${statement.line}`),
    [...culprits].slice(0, 3).map(({ line, offset }) => ({ line, shown: locationIn(migration, offset) })),
    state,
  );
}

/**
 * Returns true if a text makes transactions read-only. If the migration itself forbids writing, the server is no
 * replica.
 */
function makesReadOnly(sql: string): boolean {
  return /\bread\s+only\b|transaction_read_only/i.test(sql);
}
