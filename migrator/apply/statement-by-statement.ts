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
 * Applies a migration that can't be one transaction, unit by unit. The record of a unit is part of the unit's own
 * commit, if it has one, so that another run continues after the last complete unit. Prisma sees the migration as
 * unfinished until all units are done.
 * It fails with NoRecords if progress can't be stored, with UnclosedTransaction if a BEGIN or its end is missing, and
 * with ChangedAfterStart if a statement that is done was edited.
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
      // DISCARD also resets the session's settings, which the statements after it rely upon.
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

/**
 * Checks that the statements that are done are still the same in the file. Editing the file can't undo them; only the
 * statements that are still to come can be corrected.
 * @throws ChangedAfterStart if a statement that is done was changed
 */
function checkPrefix(
  migration: Migration,
  statements: readonly PlannedStatement[],
  { done, doneHash }: Progress,
): void {
  if (done === 0 || (done <= statements.length && hashOf(statements.slice(0, done)) === doneHash)) return;
  throw new ChangedAfterStart(migration.name, done);
}
