import type { Migration } from "../../migrations/history/history";
import type { PlannedStatement } from "../../migrations/history/plan";
import { formatDuration } from "../../text/short-duration";
import { failedIndex } from "../db/query";
import { countCharacters, describeSqlError, showPlace } from "../db/sql-error";
import { ReadOnlyDatabase } from "../failures/connection";
import { NotRecorded } from "../failures/history";
import { OwnWorkRefused, StatementFailed, StatementTooSlow } from "../failures/statement";
import type { Run } from "../run";
import { bookkeepingChanges, mayChangeBookkeeping } from "./bookkeeping";
import type { Group } from "./groups";

/** A group as it is sent, with the migrator's own statements around it in the same message. */
export interface Frame {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** Which of the migrator's own statements failed: one before the migration's, one that records it, or the COMMIT. */
export type OwnPart = "begin" | "record" | "commit";

/** Where an error came from. */
interface Origin {
  readonly group: Group;
  /** Index in the group of the statement that failed. */
  readonly failed: number;
  /** Characters from the group's beginning, counted from 1. */
  readonly position: number | undefined;
  /** Set where no statement of the migration failed. */
  readonly own: OwnPart | undefined;
}

/** An error is wrapped several times before it is reported. */
const origins = new WeakMap<object, Origin>();

/** Remembers which part of a message an error came from. */
export function attribute(error: unknown, group: Group, { before, after }: Frame = { before: [], after: [] }): void {
  if (typeof error !== "object" || error === null) return;
  const index = failedIndex(error) - before.length;
  const given = (error as { position?: string }).position;
  const head = before.map((text) => `${text};\n`).join("");
  const position = given === undefined ? undefined : Number(given) - countCharacters(head);
  // A syntax error is found before anything runs: then no statement is complete, and the position tells the place.
  const inText = position !== undefined && position > 0 && position <= countCharacters(group.text) + 1;
  const beyond = index - (group.statements.length || (group.text === "" ? 0 : Number.POSITIVE_INFINITY));
  const own =
    beyond >= 0 ? (after[beyond] === "COMMIT" ? "commit" : "record") : index < 0 && !inText ? "begin" : undefined;
  origins.set(error, { group, failed: Math.max(index, 0), position: inText ? position : undefined, own });
}

/** Which own statement of the migrator an error came from; undefined: it came from the migration, or it is not known. */
export function ownPartOf(error: unknown): OwnPart | undefined {
  return origins.get(error as object)?.own;
}

const OWN_PLACE: Record<OwnPart, string> = {
  begin: "in the migrator's own work before",
  record: "while the migrator recorded",
  commit: "at COMMIT of",
};

/** The SQL error with `file:line:column`, source line and caret, as far as it is known what failed. */
export function sqlEvidence(error: unknown, migration: Migration): string {
  const file = `${migration.name}/migration.sql`;
  const origin = origins.get(error as object);
  if (!origin || origin.own)
    return describeSqlError(error, [`  ${OWN_PLACE[origin?.own ?? "commit"]} ${file}`]).join("\n");
  const { group, failed, position } = origin;
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
  statements: readonly PlannedStatement[],
  error: unknown,
  database: string,
  next: string,
): Error {
  const own = ownPartOf(error);
  if (own === "begin") return new OwnWorkRefused(error as Error, database);
  if (own === "record") return notRecorded(run, migration, statements, error, database);
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
  if (code === "25006" && !statements.some(({ text }) => makesReadOnly(text)))
    return new ReadOnlyDatabase(message ?? "", error);
  return new StatementFailed(migration.name, evidence, database, next, error);
}

/** The failure for a migration that ran, and whose record Postgres refused: mostly because the migration changed where it is kept. */
function notRecorded(
  run: Run,
  migration: Migration,
  statements: readonly PlannedStatement[],
  error: unknown,
  database: string,
): Error {
  const readOnly = (error as { code?: string }).code === "25006";
  const certain = bookkeepingChanges(statements, run.table.schema);
  const likely = statements.filter(({ text }) => (readOnly ? makesReadOnly(text) : mayChangeBookkeeping(text)));
  if (readOnly && certain.length + likely.length === 0) return new ReadOnlyDatabase((error as Error).message, error);
  const culprits = new Set(certain.length > 0 ? certain.map(({ statement }) => statement) : likely);
  return new NotRecorded(
    migration.name,
    error as Error & { code?: string },
    certain.map(({ statement, what }) => `${what} in line ${statement.line}`),
    [...culprits].slice(0, 3).map(({ line, offset }) => ({ line, shown: placeOf(migration, offset) })),
    database,
  );
}

/** Where it is the migration that forbids writing, the server is no replica. */
function makesReadOnly(sql: string): boolean {
  return /\bread\s+only\b|transaction_read_only/i.test(sql);
}
