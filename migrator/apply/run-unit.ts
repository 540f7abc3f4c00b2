import type { Migration } from "../../migrations/history/history";
import type { PlannedStatement } from "../../migrations/history/plan";
import { runScript } from "../db/query";
import { markAttempted, markDone } from "../records/progress";
import type { Run } from "../run";
import { runBatches } from "./batches";
import { guardOf, takesRole } from "./bookkeeping";
import { groupStatements } from "./groups";
import { afterInterruption } from "./interrupted";
import { type Attempts, retryForLocks } from "./lock-retries";
import { LockWaitBudget } from "./lock-wait-budget";
import { fileOf } from "./names";
import type { PlannedMigration } from "./planned-effects";
import { runGroup, runGroups, runOwn } from "./send-statements";
import { migrationFailure } from "./statement-failure";
import type { Unit } from "./units";

/**
 * Runs one unit of a migration that is applied in steps, and records that it is done.
 * @param id the id of the migration's row in the history
 * @param before what an earlier run did of the unit: whether it began it, and how far a batched statement came
 * @throws the failure that `migrationFailure` returns, if a statement or its record fails
 */
export async function runUnit(
  run: Run,
  queued: PlannedMigration,
  unit: Unit,
  id: string,
  before: { retried: boolean; note: Record<string, unknown> },
): Promise<{ rows: number; attempts: Attempts }> {
  const { session } = run;
  const { migration, plan } = queued;
  const tried = plan.statements.slice(0, unit.from + unit.statements.length);
  const record = markDone(id, tried);
  const state = () => stateAfter(migration, plan.statements, unit);
  let outside = unit.kind === "outside";
  let { retried } = before;
  try {
    if (unit.kind === "batch") {
      const [statement] = unit.statements as [PlannedStatement];
      const work = () => runBatches(run, migration, statement, { id, note: before.note, done: record, state });
      return run.measure ? await run.measure.inRanges(statement, work) : await work();
    }
    const { result, attempts } = await retryForLocks(run, migration, state, async (lockTimeout) => {
      try {
        if (!outside) return await runInTransaction(run, queued, unit, record, lockTimeout);
      } catch (error) {
        if (session.lost === undefined) await runScript(session, "ROLLBACK").catch(() => undefined);
        const { code } = error as { code?: string };
        if (unit.kind !== "single" || (code !== "25001" && code !== "2D000")) throw error;
        outside = true;
      }
      const rows = await runOutsideTransaction(run, migration, unit, id, retried, () => {
        retried = true;
      });
      await runOwn(session, [], [OWN_BEGIN, ...ownRole(migration), record, "COMMIT"]);
      return rows;
    });
    return { rows: result, attempts };
  } catch (error) {
    const { line } = unit.statements[0]!;
    throw migrationFailure(run, error, {
      migration,
      tried,
      state: state(),
      afterLoss: state(),
      next: `correct ${fileOf(migration)} from line ${line} on (what is before it is done and must stay), then: {rerun}`,
    });
  }
}

/**
 * Returns the SET LOCAL statements that precede a unit in the file. Their settings also hold for the unit, although it
 * runs in another transaction. A block has its own transaction in the file, so it gets none.
 */
function localSettings(statements: readonly PlannedStatement[], unit: Unit): string[] {
  if (unit.kind === "block") return [];
  return statements.slice(0, unit.from).flatMap((each) => (isLocal(each) ? each.text : []));
}

/** Returns true if a statement sets something for the rest of its transaction. */
export function isLocal({ kind, text }: PlannedStatement): boolean {
  return kind === "SET" && /^SET\s+LOCAL\b/i.test(text);
}

/** Runs the statements of a unit together with the record that they are done. */
async function runInTransaction(
  run: Run,
  { migration, plan, effects }: PlannedMigration,
  unit: Unit,
  record: string,
  lockTimeout: number,
): Promise<number> {
  const { session } = run;
  const block = unit.kind === "block";
  const inner = block ? unit.statements.slice(1, -1) : unit.statements;
  const end = block ? unit.statements.at(-1)! : undefined;
  const budget = new LockWaitBudget(lockTimeout, effects);
  const groups = [...groupStatements(migration.sql, inner)];
  const begin = block ? unit.statements[0]!.text : OWN_BEGIN;
  const first = budget.timeoutFor(groups[0]?.statements ?? []);
  const { remember, compare } = takesRole(migration.sql) ? NO_GUARD : guardOf(run.table, migration.sql);
  await runOwn(
    session,
    [begin, `SET LOCAL lock_timeout = ${first}`, ...remember, ...localSettings(plan.statements, unit)],
    [],
  );
  run.measure?.beginTransaction();
  const rows = await runGroups(run, migration, groups, budget, []);
  run.signal.throwIfAborted();
  const asOwn = [...ownRole(migration), record];
  if (!end || end.control === "commit") await runOwn(session, [], [...compare, ...asOwn, "COMMIT"]);
  else {
    // A transaction that is rolled back, or prepared for another session, can't contain the record.
    await runScript(session, end.text);
    await runOwn(session, [], [OWN_BEGIN, ...asOwn, "COMMIT"]);
  }
  run.measure?.endTransaction();
  return rows;
}

/** Begins a transaction for the migrator's records, even if the migration has set default_transaction_read_only. */
const OWN_BEGIN = "BEGIN READ WRITE";

const NO_GUARD = { remember: [], compare: [] };

/**
 * Returns statements that undo a role switch of the migration for the rest of a transaction, because that role may not
 * be allowed to write the migrator's records.
 */
function ownRole({ sql }: Migration): string[] {
  return takesRole(sql) ? ["SET LOCAL SESSION AUTHORIZATION DEFAULT", "SET LOCAL ROLE NONE"] : [];
}

/**
 * Runs a statement outside of any transaction, after removing what an earlier attempt left behind.
 * @param retried true if an earlier attempt at the statement is recorded
 * @param onRecord is called when this attempt is recorded
 */
async function runOutsideTransaction(
  run: Run,
  migration: Migration,
  unit: Unit,
  id: string,
  retried: boolean,
  onRecord: () => void,
): Promise<number> {
  const { session, settings, log } = run;
  const [statement] = unit.statements as [PlannedStatement];
  const verdict = await afterInterruption(run, statement, retried);
  if (verdict === "complete") {
    log.event("statement.found", `  line ${statement.line}: found complete, from an earlier attempt`, {
      migration: migration.name,
      line: statement.line,
    });
    return 0;
  }
  await runOwn(session, [], [OWN_BEGIN, ...ownRole(migration), markAttempted(id, statement.index), "COMMIT"]);
  onRecord();
  // This statement makes nobody wait while it waits for others, so it may wait for the whole lockRetryTimeout.
  await runScript(session, `SET lock_timeout = ${settings.lockRetryTimeout}`);
  try {
    const text = verdict === "run" ? statement.text : verdict.instead;
    const group = { statements: unit.statements, text, offset: statement.offset };
    const send = () => runGroup(run, migration, group, 8000);
    return run.measure ? await run.measure.outside(statement, send) : await send();
  } finally {
    if (session.lost === undefined)
      await runScript(session, `SET lock_timeout = ${settings.lockTimeout}`).catch(() => undefined);
  }
}

function stateAfter({ name }: Migration, statements: readonly PlannedStatement[], unit: Unit): string {
  const at = unit.statements[0]!;
  const before =
    unit.from === 0
      ? "nothing of it is applied yet"
      : `${unit.from} of its ${statements.length} statements are applied and stay`;
  return `${name} can't be one transaction: ${before}; the next run goes on at line ${at.line}.`;
}
