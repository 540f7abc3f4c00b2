import type { Migration } from "../../migrations/history/history";
import type { MigrationPlan, PlannedStatement } from "../../migrations/history/plan";
import { runScript } from "../db/query";
import { migrationPath, OWN_PATH } from "../db/search-path";
import { changesSession, sessionSettings } from "../db/session-settings";
import type { Run } from "../run";
import { batchDirective } from "./batch-statement";
import { guardOf, takesRole } from "./bookkeeping";
import { type Group, groupStatements } from "./groups";
import { type Attempts, retryForLocks } from "./lock-retries";
import { LockWaitBudget } from "./lock-wait-budget";
import { fileOf } from "./names";
import type { PlannedMigration } from "./planned-effects";
import { runGroup, runGroups, runOwn } from "./send-statements";
import { migrationFailure } from "./statement-failure";
import { statementHashes } from "./statement-hashes";
import { type Applied, oneByOne, type QueuedMigration } from "./strategy";

/**
 * Applies a migration in one transaction together with its row in the history, so that a failure or a kill leaves
 * neither. Postgres refuses some statements inside a transaction although their text doesn't show it (CALL of a
 * procedure that commits, the use of a new enum value, …). Migrations with such a statement are given back to the
 * queue, and another strategy applies them.
 */
export const oneTransaction = oneByOne(
  ({ plan, resume }) =>
    resume === undefined &&
    !plan.statements.some((each) => batchDirective(each) !== undefined) &&
    (plan.mode === "transaction" || plan.error !== undefined || isOneTransaction(plan)),
  applyInTransaction,
);

async function applyInTransaction(
  run: Run,
  queued: QueuedMigration,
  first: readonly string[],
): Promise<Applied | undefined> {
  const { migration, plan } = queued;
  const state = () => `rolled back; it is as it was before ${migration.name}. Migrations before it are applied.`;
  const record = (rows: number, attempts: Attempts) => [
    run.table.appliedRow(migration),
    ...auditOf(run, migration, plan, rows, attempts),
  ];
  let applied: Applied;
  try {
    applied = await runInOneTransaction(run, queued, {
      first,
      guard: guardOf(run.table, migration.sql),
      record,
      state,
    });
  } catch (error) {
    if (!plan.error && !run.signal.aborted && isRefusedInTransaction(error, plan)) {
      run.log.event("migration.steps", `  ${(error as Error).message}: rolled back, and going on in steps`, {
        migration: migration.name,
      });
      return undefined;
    }
    throw migrationFailure(run, error, {
      migration,
      tried: plan.statements,
      state: state(),
      afterLoss: `the server rolls ${migration.name} back, unless it had just committed it; the next run sees which.`,
      next: `correct ${fileOf(migration)}, then: {rerun}`,
    });
  }
  if (changesSession(plan)) await runScript(run.session, `RESET ALL; ${sessionSettings(run.settings)}`);
  return applied;
}

/** The statements of the migrator around SQL that runs in one transaction. */
export interface Around {
  /** Statements before it, such as the creation of the history table. */
  readonly first: readonly string[];
  /** The statements at its beginning and end that keep it from changing the history. */
  readonly guard: ReturnType<typeof guardOf>;
  /** Returns the statements that record it, for the same transaction. */
  readonly record: (rows: number, attempts: Attempts) => readonly string[];
  /** Returns the state of the database, for the message if no lock is obtained. */
  readonly state: () => string;
}

/**
 * Runs SQL in one transaction together with what records it, and again from its beginning while other sessions hold
 * its locks. If it fails, nothing of it is left.
 * @throws LockNotObtained, and the error of a statement as it is
 */
export async function runInOneTransaction(run: Run, planned: PlannedMigration, around: Around): Promise<Applied> {
  const { session } = run;
  const { result } = await retryForLocks(run, planned.migration, around.state, async (lockTimeout, attempts) => {
    try {
      return await attempt(run, planned, around, lockTimeout, attempts);
    } catch (error) {
      if (session.lost === undefined) await runScript(session, `ROLLBACK; ${OWN_PATH}`).catch(() => undefined);
      throw error;
    }
  });
  return result;
}

/**
 * Returns true if a statement was refused because it ran inside a transaction. Code 55P04 means that a new enum value
 * is used before it is committed; a file with its own BEGIN and COMMIT leaves no place for that commit.
 */
function isRefusedInTransaction(error: unknown, plan: MigrationPlan): boolean {
  const { code } = error as { code?: string };
  return code === "25001" || code === "2D000" || (code === "55P04" && !isOneTransaction(plan));
}

async function attempt(
  run: Run,
  { migration, plan, effects }: PlannedMigration,
  { first, guard: { remember, compare }, record }: Around,
  lockTimeout: number,
  attempts: Attempts,
): Promise<Applied> {
  const { session, table } = run;
  const began = Date.now();
  const { begin, statements } = ownTransaction(plan);
  const budget = new LockWaitBudget(lockTimeout, effects);
  // A migration may have switched to a role that must not write the history.
  const role = takesRole(migration.sql) ? ["RESET SESSION AUTHORIZATION", "RESET ROLE"] : [];
  const after = (rows: number) => [...role, ...compare, ...record(rows, attempts), "COMMIT", OWN_PATH];
  const groups = plan.error ? [wholeFile(migration)] : [...groupStatements(migration.sql, statements)];
  const [only] = groups;
  // SET LOCAL makes lock_timeout part of the transaction, so that a rollback resets it.
  const lock = `SET LOCAL lock_timeout = ${budget.timeoutFor(only?.statements ?? [])}`;
  const before = [begin, lock, ...first, ...remember, migrationPath(table.schema)];
  run.measure?.beginTransaction();
  if (
    !run.measure &&
    only &&
    groups.length === 1 &&
    only.statements.length === 1 &&
    DEFINES.test(only.statements[0]!.kind)
  ) {
    // Most migrations are one definition, which is sent in one round trip. It changes no rows, so 0 rows are recorded.
    await runGroup(run, migration, only, lockTimeout, { before, after: after(0) });
    return { attempts, duration: Date.now() - began, rows: 0 };
  }
  const rows = await runGroups(run, migration, groups, budget, before);
  run.signal.throwIfAborted();
  await runOwn(session, groups.length === 0 ? before : [], after(rows));
  run.measure?.endTransaction();
  return { attempts, duration: Date.now() - began, rows };
}

function auditOf(
  { records }: Run,
  { name, checksum }: Migration,
  plan: MigrationPlan,
  rows: number,
  { count, lockWait }: Attempts,
): string[] {
  const data = { checksum, rows, attempts: count, lockWait, statements: statementHashes(plan) };
  return records.auditStatements({ event: "migration.applied", migration: name, data }, "pg_catalog.now()");
}

/** Matches the kinds of statements that change no rows. */
export const DEFINES = /^(CREATE (?!TABLE AS)|ALTER |DROP |COMMENT|GRANT|REVOKE)/;

/** Returns true if a file is one BEGIN … COMMIT. Its transaction is kept, and the history's row is written in it. */
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

/**
 * Returns a file that the parser didn't understand as one group. The server may understand it, because its version
 * differs, and it gives the best message if it doesn't.
 */
function wholeFile({ sql }: Migration): Group {
  const marked = sql.startsWith("\ufeff") ? 1 : 0;
  return { statements: [], text: sql.slice(marked), offset: marked };
}
