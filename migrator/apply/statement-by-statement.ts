import { randomUUID } from "node:crypto";
import type { Migration } from "../../migrations/history/history";
import type { PlannedStatement } from "../../migrations/history/plan";
import { keepLock } from "../db/lock";
import { runScript } from "../db/query";
import { migrationPath } from "../db/search-path";
import { sessionSettings } from "../db/session-settings";
import { ChangedAfterStart, NoRecords, UnclosedTransaction } from "../failures/statement";
import { beginProgress, endProgress, hashOf, type Progress } from "../records/progress";
import type { Run } from "../run";
import { locationIn } from "./error-location";
import type { Attempts } from "./lock-retries";
import { isLocal, runUnit } from "./run-unit";
import { type Applied, oneByOne, type QueuedMigration } from "./strategy";
import { type Unit, UnpairedControl, unitsOf } from "./units";

/**
 * Applies a migration that can't be one transaction: unit by unit, each recorded together with its own commit where it has one, so that
 * another run goes on behind the last that is complete. Prisma sees the migration as unfinished until it is through.
 */
export const statementByStatement = oneByOne(() => true, applyInSteps);

async function applyInSteps(run: Run, queued: QueuedMigration, first: readonly string[]): Promise<Applied> {
  const { migration, plan, resume } = queued;
  if (run.records.unavailable !== undefined)
    throw new NoRecords(migration.name, run.records.unavailable, run.session.target.user);
  const { session, table, log } = run;
  const { statements } = plan;
  const units = splitUnits(migration, statements, resume?.done ?? 0);
  const began = Date.now();
  const id = resume?.historyId ?? randomUUID();
  if (resume) {
    checkPrefix(migration, statements, resume);
    const next = statements[resume.done];
    const where = next ? `statement ${resume.done + 1} of ${statements.length}, line ${next.line}` : "its end";
    log.event("migration.resumed", `  an earlier run got to ${where}; going on there`, {
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
      const done = await runUnit(run, queued, unit, id, { retried, note });
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
      locationIn(migration, error.statement.offset),
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
