import type { Migration } from "../../migrations/history/history";
import type { MigrationPlan, PlannedStatement } from "../../migrations/history/plan";
import { counted } from "../../text/counted";
import { formatDuration } from "../../text/short-duration";
import { connectionLost, isConnectionLoss, type Session } from "../db/connection";
import { runScript } from "../db/query";
import { migrationPath, OWN_PATH } from "../db/search-path";
import { changesSession, sessionSettings } from "../db/session-settings";
import { Failure } from "../failures/failure";
import { Stopped } from "../failures/statement";
import type { Run } from "../run";
import { type Attempts, withLockAttempts } from "./attempts";
import { historyGuard, mayChangeBookkeeping } from "./bookkeeping";
import { attribute, type Frame, sqlEvidence, statementFailure } from "./error-location";
import { describeGroup, type Group, groupStatements } from "./groups";
import { Patience } from "./patience";

export interface Applied {
  readonly attempts: Attempts;
  /** Milliseconds of the attempt that succeeded. */
  readonly duration: number;
  readonly rows: number;
}

/** Thrown where Postgres refuses a statement inside a transaction although its text doesn't show that: CALL of a procedure that commits, the use of a new enum value, … */
export class NeedsSteps extends Error {}

/**
 * Applies a migration in one transaction together with its row in the history: a failure or a kill leaves neither.
 * @param first statements to run in the same transaction before, such as the creation of the history table
 * @param last statements to run in it at the end, such as the audit's
 */
export async function applyInTransaction(
  run: Run,
  migration: Migration,
  plan: MigrationPlan,
  first: string[],
  last: (applied: Applied) => string[],
): Promise<Applied> {
  const { session } = run;
  const untouched = () => `rolled back; it is as it was before ${migration.name}. Migrations before it are applied.`;
  const evidence = (error: unknown) => sqlEvidence(error, migration);
  let applied: Applied | undefined;
  try {
    const { result } = await withLockAttempts(
      run,
      { migration: migration.name, state: untouched, evidence },
      async (lockTimeout, attempts) => {
        try {
          return await attempt(run, migration, plan, { lockTimeout, attempts }, first, last);
        } catch (error) {
          if (session.lost === undefined) await runScript(session, `ROLLBACK; ${OWN_PATH}`).catch(() => undefined);
          throw error;
        }
      },
    );
    applied = result;
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (isConnectionLoss(error) || session.lost !== undefined)
      throw connectionLost(
        error,
        `the server rolls ${migration.name} back, unless it had just committed it; the next run sees which.`,
      );
    if (run.signal.aborted) throw new Stopped(run.signal.reason as "SIGTERM", untouched());
    const code = (error as { code?: string }).code;
    // 55P04: a new enum value is used before it is committed. The file's own BEGIN and COMMIT leave no place for that.
    const needsSteps = code === "25001" || code === "2D000" || (code === "55P04" && !isOneTransaction(plan));
    if (needsSteps) throw new NeedsSteps((error as Error).message, { cause: error });
    if (code === undefined) throw error;
    throw statementFailure(
      run,
      migration,
      plan.statements,
      error,
      untouched(),
      `correct ${migration.name}/migration.sql, then: {rerun}`,
    );
  }
  if (changesSession(plan)) await runScript(session, `RESET ALL; ${sessionSettings(run.settings)}`);
  return applied;
}

async function attempt(
  run: Run,
  migration: Migration,
  plan: MigrationPlan,
  { lockTimeout, attempts }: { lockTimeout: number; attempts: Attempts },
  first: string[],
  last: (applied: Applied) => string[],
): Promise<Applied> {
  const { session, table } = run;
  const began = Date.now();
  const { begin, statements } = ownTransaction(plan);
  const patience = new Patience(lockTimeout);
  // A migration may have taken on a role that must not write the history.
  const role = takesRole(migration.sql) ? ["RESET SESSION AUTHORIZATION", "RESET ROLE"] : [];
  const { remember, compare } = guardOf(run, migration.sql);
  const after = (applied: Applied) => [
    ...[...role, ...compare],
    ...[table.appliedRow(migration), ...last(applied), "COMMIT", OWN_PATH],
  ];
  const groups = plan.error ? [wholeFile(migration)] : [...groupStatements(migration.sql, statements)];
  const [only] = groups;
  // lock_timeout belongs to the transaction, so that a rollback takes it back.
  const lock = `SET LOCAL lock_timeout = ${patience.next(only?.statements ?? [])}`;
  const before = [begin, lock, ...first, ...remember, migrationPath(table.schema)];
  if (only && groups.length === 1 && only.statements.length === 1 && DEFINES.test(only.statements[0]!.kind)) {
    // Most migrations are one definition: all of it in one round trip. It changes no rows, which the records would tell.
    await runGroup(run, migration, only, lockTimeout, { before, after: after({ attempts, duration: 0, rows: 0 }) });
    return { attempts, duration: Date.now() - began, rows: 0 };
  }
  const rows = await runGroups(run, migration, groups, patience, before);
  run.signal.throwIfAborted();
  const applied: Applied = { attempts, duration: Date.now() - began, rows };
  await runOwn(session, groups.length === 0 ? before : [], after(applied));
  return { ...applied, duration: Date.now() - began };
}

/** True for a migration that may act as another role. */
export function takesRole(sql: string): boolean {
  return /\b(role|authorization)\b/i.test(sql);
}

/** Statements around a migration that may change the history: at the end its rows must be what they were. */
export function guardOf({ table }: Run, sql: string): { remember: string[]; compare: string[] } {
  if (!mayChangeBookkeeping(sql)) return { remember: [], compare: [] };
  const { remember, compare } = historyGuard(table);
  return { remember: [remember], compare: [compare] };
}

/** Runs what belongs around the statements of a migration, by itself. */
export async function runOwn(session: Session, before: readonly string[], after: readonly string[]): Promise<void> {
  try {
    await runScript(session, [...before, ...after].join(";\n"));
  } catch (error) {
    attribute(error, { statements: [], text: "", offset: 0 }, { before, after });
    throw error;
  }
}

/** Runs the statements of one transaction, whose waits for locks are bounded together. */
export async function runGroups(
  run: Run,
  migration: Migration,
  groups: readonly Group[],
  patience: Patience,
  before: readonly string[],
): Promise<number> {
  // The migration sets its own lock_timeout, so ours is not set.
  const own = groups.some(({ statements }) => statements.some(setsLockTimeout));
  let rows = 0;
  let lead = before;
  let current: number | undefined;
  for (const group of groups) {
    const lockTimeout = patience.next(group.statements);
    if (current !== undefined && current !== lockTimeout && !own) lead = [`SET LOCAL lock_timeout = ${lockTimeout}`];
    current = lockTimeout;
    const began = Date.now();
    rows += await runGroup(run, migration, group, lockTimeout, { before: lead, after: [] });
    patience.took(group.statements, Date.now() - began);
    lead = [];
  }
  return rows;
}

function setsLockTimeout({ kind, text }: PlannedStatement): boolean {
  return /\block_timeout\b/i.test(text) && (/^SET\b/.test(kind) || /\bset_config\b/i.test(text));
}

/** Statements that change no rows. */
export const DEFINES = /^(CREATE (?!TABLE AS)|ALTER |DROP |COMMENT|GRANT|REVOKE)/;

/** A file that is one BEGIN … COMMIT keeps it, and the history's row goes into it. */
export function isOneTransaction({ statements, error }: MigrationPlan): boolean {
  const controls = statements.filter(({ control }) => control !== undefined && control !== "savepoint");
  return (
    !error &&
    controls.length === 2 &&
    statements[0]?.control === "begin" &&
    statements.at(-1)?.control === "commit" &&
    !/\bchain\b/i.test(statements.at(-1)!.text) &&
    statements.every(({ canRunInTransaction }) => canRunInTransaction)
  );
}

function ownTransaction(plan: MigrationPlan): { begin: string; statements: readonly PlannedStatement[] } {
  if (!isOneTransaction(plan)) return { begin: "BEGIN", statements: plan.statements };
  return { begin: plan.statements[0]!.text, statements: plan.statements.slice(1, -1) };
}

/** The parser didn't understand the file; the server may (it is of another version), or says best what is wrong. */
function wholeFile({ sql }: Migration): Group {
  const marked = sql.startsWith("\ufeff") ? 1 : 0;
  return { statements: [], text: sql.slice(marked), offset: marked };
}

/** Runs statements and says so; the number of rows they touched. */
export async function runGroup(
  run: Run,
  migration: Migration,
  group: Group,
  lockTimeout: number,
  frame: Frame = { before: [], after: [] },
): Promise<number> {
  run.signal.throwIfAborted();
  const { log, watcher, session } = run;
  const what = describeGroup(group);
  const began = Date.now();
  const { before, after } = frame;
  const head = before.map((text) => `${text};\n`).join("");
  const text = `${head}${group.text}${after.map((each) => `;\n${each}`).join("")}`;
  try {
    const results = await watcher.during(runScript(session, text), what, Math.max(20, lockTimeout * 0.6));
    const own = results.slice(before.length, results.length - after.length);
    const rows = own.reduce((sum, { rowCount, command }) => sum + (command === "SELECT" ? 0 : (rowCount ?? 0)), 0);
    const duration = Date.now() - began;
    const touched = rows > 0 ? `, ${counted(rows, "row")}` : "";
    log.event("statement.finished", `  ${what} (${formatDuration(duration)}${touched})`, {
      migration: migration.name,
      line: group.statements[0]?.line,
      kind: group.statements[0]?.kind,
      count: group.statements.length,
      duration,
      rows,
    });
    return rows;
  } catch (error) {
    attribute(error, group, frame);
    throw error;
  }
}
