import { randomUUID } from "node:crypto";
import type { Migration } from "../../migrations/history/history";
import type { MigrationPlan, PlannedStatement } from "../../migrations/history/plan";
import { connectionLost, isConnectionLoss } from "../db/connection";
import { keepLock } from "../db/lock";
import { runScript } from "../db/query";
import { migrationPath } from "../db/search-path";
import { sessionSettings } from "../db/session-settings";
import { Failure } from "../failures/failure";
import { ChangedAfterStart, Stopped, UnclosedTransaction } from "../failures/statement";
import { beginProgress, endProgress, hashOf, markAttempted, markDone, type Progress } from "../records/progress";
import type { Run } from "../run";
import { type Attempts, withLockAttempts } from "./attempts";
import { runBatches } from "./batches";
import { placeOf, sqlEvidence, statementFailure } from "./error-location";
import { groupStatements } from "./groups";
import { leftBehind } from "./left-behind";
import { Patience } from "./patience";
import { type Applied, guardOf, runGroup, runGroups, runOwn, takesRole } from "./transaction";
import { type Unit, UnpairedControl, unitsOf } from "./units";

/**
 * Applies a migration that can't be one transaction: unit by unit, each recorded together with its own commit where it has one, so that
 * another run goes on behind the last that is complete. Prisma sees the migration as unfinished until it is through.
 * @param resume what an earlier run has done of it
 * @param first statements to run before its row is written, such as the creation of the history table
 */
export async function applyInSteps(
  run: Run,
  migration: Migration,
  plan: MigrationPlan,
  first: string[],
  resume: Progress | undefined,
): Promise<Applied> {
  const { session, table, log } = run;
  const { statements } = plan;
  const units = splitUnits(migration, statements, resume?.done ?? 0);
  const began = Date.now();
  const id = resume?.historyId ?? randomUUID();
  if (resume) {
    checkPrefix(migration, statements, resume);
    const next = statements[resume.done];
    const place = next ? `statement ${resume.done + 1} of ${statements.length}, line ${next.line}` : "its end";
    log.event("migration.resumed", `  an earlier run got to ${place}; going on there`, {
      migration: migration.name,
      done: resume.done,
    });
    await runScript(session, migrationPath(table.schema));
    for (const each of statements.slice(0, resume.done))
      if (each.kind === "SET" && !isLocal(each)) await runScript(session, each.text);
  } else {
    const start = [table.startedRow(id, migration), beginProgress(id, table.schema, migration.name)];
    await runScript(session, ["BEGIN", ...first, ...start, "COMMIT", migrationPath(table.schema)].join(";\n"));
  }
  const attempts: Attempts = { count: 1, lockWait: 0 };
  const leave = `RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; ${sessionSettings(run.settings)}`;
  let rows = 0;
  try {
    for (const unit of units) {
      const retried = resume?.done === unit.from && resume.attempted === unit.from;
      const note = resume?.done === unit.from ? resume.note : {};
      const done = await runUnit(run, migration, statements, unit, id, { retried, note });
      await keepLock(session, unit.statements.map(({ text }) => text).join(";"), log);
      // It takes away the settings of the session too, which the statements after it rely upon.
      if (unit.statements.some(({ kind }) => kind.startsWith("DISCARD")))
        await runScript(session, `${sessionSettings(run.settings)}; ${migrationPath(table.schema)}`);
      rows += done.rows;
      attempts.count += done.attempts.count - 1;
      attempts.lockWait += done.attempts.lockWait;
    }
  } catch (error) {
    if (session.lost === undefined) await runScript(session, leave).catch(() => undefined);
    throw error;
  }
  const applied = { attempts, duration: Date.now() - began, rows };
  await runScript(session, leave);
  await runScript(
    session,
    [
      "BEGIN",
      table.finishRow(id, migration),
      endProgress(id),
      ...run.records.auditStatements({
        event: "migration.applied",
        migration: migration.name,
        data: { ...applied, steps: statements.length },
      }),
      "COMMIT",
    ].join(";\n"),
  );
  return applied;
}

function splitUnits(migration: Migration, statements: readonly PlannedStatement[], from: number): Unit[] {
  try {
    return unitsOf(statements, from);
  } catch (error) {
    if (!(error instanceof UnpairedControl)) throw error;
    throw new UnclosedTransaction(
      migration.name,
      error.message,
      error.remedy,
      placeOf(migration, error.statement.offset),
    );
  }
}

/** What is done can't be undone by editing the file; what is still to come can be corrected. */
function checkPrefix(
  migration: Migration,
  statements: readonly PlannedStatement[],
  { done, doneHash }: Progress,
): void {
  if (done === 0 || (done <= statements.length && hashOf(statements.slice(0, done)) === doneHash)) return;
  throw new ChangedAfterStart(migration.name, done);
}

async function runUnit(
  run: Run,
  migration: Migration,
  statements: readonly PlannedStatement[],
  unit: Unit,
  id: string,
  { retried, note }: { retried: boolean; note: Record<string, unknown> },
): Promise<{ rows: number; attempts: Attempts }> {
  const { session } = run;
  const record = markDone(id, statements.slice(0, unit.from + unit.statements.length));
  const local = localSettings(statements, unit);
  const state = () => stateAfter(migration, statements, unit);
  const evidence = (error: unknown) => sqlEvidence(error, migration);
  let outside = unit.kind === "outside";
  let begun = retried;
  try {
    if (unit.kind === "batch") {
      const [statement] = unit.statements as [PlannedStatement];
      return await runBatches(run, migration, statement, { id, note, done: record, state });
    }
    const { result, attempts } = await withLockAttempts(
      run,
      { migration: migration.name, state, evidence },
      async (lockTimeout) => {
        try {
          if (!outside) return await inTransaction(run, migration, unit, local, record, lockTimeout);
        } catch (error) {
          if (session.lost === undefined) await runScript(session, "ROLLBACK").catch(() => undefined);
          const code = (error as { code?: string }).code;
          if (unit.kind !== "single" || (code !== "25001" && code !== "2D000")) throw error;
          outside = true;
        }
        const rows = await alone(run, migration, unit, id, begun, () => {
          begun = true;
        });
        await runOwn(session, [], [OWN_BEGIN, ...ownRole(migration), record, "COMMIT"]);
        return rows;
      },
    );
    return { rows: result, attempts };
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (isConnectionLoss(error) || session.lost !== undefined) throw connectionLost(error, state());
    if (run.signal.aborted) throw new Stopped(run.signal.reason as "SIGTERM", state());
    if ((error as { code?: string }).code === undefined) throw error;
    const next = `correct ${migration.name}/migration.sql from line ${unit.statements[0]!.line} on (what is before it is done and must stay), then: {rerun}`;
    const tried = statements.slice(0, unit.from + unit.statements.length);
    throw statementFailure(run, migration, tried, error, state(), next);
  }
}

/** What SET LOCAL set earlier in the file holds for what comes after it, in whichever transaction that is. */
function localSettings(statements: readonly PlannedStatement[], unit: Unit): string[] {
  if (unit.kind === "block") return [];
  return statements.slice(0, unit.from).flatMap((each) => (isLocal(each) ? each.text : []));
}

function isLocal({ kind, text }: PlannedStatement): boolean {
  return kind === "SET" && /^SET\s+LOCAL\b/i.test(text);
}

/**
 * The statements of a unit, together with the record that they are done.
 * @param local statements to run first in the same transaction
 */
async function inTransaction(
  run: Run,
  migration: Migration,
  unit: Unit,
  local: readonly string[],
  record: string,
  lockTimeout: number,
): Promise<number> {
  const { session } = run;
  const block = unit.kind === "block";
  const inner = block ? unit.statements.slice(1, -1) : unit.statements;
  const end = block ? unit.statements.at(-1)! : undefined;
  const patience = new Patience(lockTimeout);
  const groups = [...groupStatements(migration.sql, inner)];
  const begin = block ? unit.statements[0]!.text : OWN_BEGIN;
  const first = patience.next(groups[0]?.statements ?? []);
  const { remember, compare } = takesRole(migration.sql) ? NO_GUARD : guardOf(run, migration.sql);
  await runOwn(session, [begin, `SET LOCAL lock_timeout = ${first}`, ...remember, ...local], []);
  const rows = await runGroups(run, migration, groups, patience, []);
  run.signal.throwIfAborted();
  const asOwn = [...ownRole(migration), record];
  if (!end || end.control === "commit") await runOwn(session, [], [...compare, ...asOwn, "COMMIT"]);
  else {
    // What is rolled back, or prepared for another session, takes nothing along with it.
    await runScript(session, end.text);
    await runOwn(session, [], [OWN_BEGIN, ...asOwn, "COMMIT"]);
  }
  return rows;
}

/** The migration may have set default_transaction_read_only, and our records are written all the same. */
const OWN_BEGIN = "BEGIN READ WRITE";

const NO_GUARD = { remember: [], compare: [] };

/** For the rest of a transaction: what the migration took on for its own statements may not write our records. */
function ownRole({ sql }: Migration): string[] {
  return takesRole(sql) ? ["SET LOCAL SESSION AUTHORIZATION DEFAULT", "SET LOCAL ROLE NONE"] : [];
}

/** A statement outside of any transaction: what an attempt before it left behind is cleared away first. */
async function alone(
  run: Run,
  migration: Migration,
  unit: Unit,
  id: string,
  retried: boolean,
  begun: () => void,
): Promise<number> {
  const { session, settings, log } = run;
  const [statement] = unit.statements as [PlannedStatement];
  const verdict = await leftBehind(run, statement, retried);
  if (verdict === "complete") {
    log.event("statement.found", `  line ${statement.line}: found complete, from an earlier attempt`, {
      migration: migration.name,
      line: statement.line,
    });
    return 0;
  }
  await runOwn(session, [], [OWN_BEGIN, ...ownRole(migration), markAttempted(id, statement.index), "COMMIT"]);
  begun();
  // It waits for others without making anybody wait, so it may wait for the whole lockRetryTimeout.
  await runScript(session, `SET lock_timeout = ${settings.lockRetryTimeout}`);
  try {
    const text = verdict === "run" ? statement.text : verdict.instead;
    const group = { statements: unit.statements, text, offset: statement.offset };
    return await runGroup(run, migration, group, 8000);
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
