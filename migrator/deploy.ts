import { createHash } from "node:crypto";
import type { Migration } from "../migrations/history";
import { loadParser, type MigrationPlan } from "../migrations/plan";
import { analyzeTables } from "./analyze";
import { batchDirective } from "./batch-statement";
import { countRows } from "./counts";
import { formatDuration } from "./duration";
import { appliedSinceVerified } from "./facts";
import type { Failure } from "./failure";
import { NoRecords } from "./failures/statement";
import { readHistory } from "./history-gate";
import { releaseLock, takeLock } from "./lock";
import { plannedEffects } from "./planned-effects";
import { planOf } from "./plans";
import { type Progress, readProgress } from "./progress";
import type { Run } from "./run";
import { checkSnapshot } from "./snapshot-gate";
import { applyInSteps } from "./steps";
import { type Applied, applyInTransaction, isOneTransaction, NeedsSteps } from "./transaction";
import { verify } from "./verify";

/**
 * Brings the database to the end of the history. Of several runners at once one works and the others wait, then find nothing left to do.
 * Whatever happens to it, the next run goes on correctly.
 */
export async function deploy(run: Run, migrations: readonly Migration[]): Promise<void> {
  const { session, settings, log, signal } = run;
  await takeLock(session, settings.runnerWait, log, signal);
  try {
    const progress = await readProgress(run.records);
    const resumable = new Set(progress.map(({ historyId }) => historyId));
    const history = await readHistory(session, run.table, migrations, { ...settings, resumable });
    for (const { name } of history.outOfOrder)
      log.event(
        "out-of-order",
        `Warning: ${name} is older than the newest applied migration; it is applied all the same, as Prisma does.`,
        {
          migration: name,
        },
      );
    if (history.pending.length === 0) {
      // A run before this one applied everything, and then failed its verification or was killed before it.
      const unverified = (await run.records.readable()) ? await appliedSinceVerified(run, history.applied) : [];
      if (unverified.length > 0) {
        await loadParser();
        await verify(run, migrations, { ...plannedEffects([], unverified, run.table.schema), before: {} });
      }
      log.event("deploy.finished", `Nothing to do: all ${migrations.length} migrations are applied.`, { applied: 0 });
      return;
    }
    checkSnapshot(settings.snapshot, history.pending.length);
    const began = Date.now();
    log.event("deploy.started", `${history.pending.length} of ${migrations.length} migrations are pending.`, {
      pending: history.pending.length,
    });
    await Promise.all([loadParser(), run.records.ensure()]);
    if (run.records.unavailable !== undefined)
      log.event("records.unavailable", `Warning: no audit trail and no facts are kept: ${run.records.unavailable}.`);
    const planned = plannedEffects([], history.pending, run.table.schema);
    const touched = planned.tables.map(({ table }) => table);
    const before = await countRows(session, touched);
    let creation = history.tableExists ? [] : await run.table.creation(session);
    for (const migration of history.pending) {
      const row = history.unfinished.find(({ migrationName }) => migrationName === migration.name);
      const resume = row && progress.find(({ historyId }) => historyId === row.id);
      await apply(run, migration, creation, resume);
      creation = [];
    }
    await analyzeTables(run, planned.all);
    await verify(run, migrations, { ...planned, before });
    const duration = Date.now() - began;
    const count = history.pending.length;
    log.event(
      "deploy.finished",
      `Done: ${count} ${count === 1 ? "migration" : "migrations"} applied in ${formatDuration(duration)}. The database is at ${migrations.at(-1)!.name}.`,
      { applied: count, duration },
    );
  } finally {
    await releaseLock(session);
  }
}

async function apply(run: Run, migration: Migration, first: string[], resume: Progress | undefined): Promise<void> {
  run.signal.throwIfAborted();
  const { log, records } = run;
  const { name, checksum } = migration;
  log.event("migration.started", name, { migration: name, checksum });
  try {
    const plan = planOf(migration);
    const applied = await applyAsPlanned(run, migration, plan, first, resume);
    log.event("migration.finished", `  applied in ${formatDuration(applied.duration)}`, {
      migration: name,
      duration: applied.duration,
      rows: applied.rows,
      attempts: applied.attempts.count,
      lockWait: applied.attempts.lockWait,
    });
  } catch (error) {
    await records.audit({
      event: "migration.failed",
      migration: name,
      data: { code: (error as Partial<Failure>).code, reason: (error as Error).message },
    });
    throw error;
  }
}

async function applyAsPlanned(
  run: Run,
  migration: Migration,
  plan: MigrationPlan,
  first: string[],
  resume: Progress | undefined,
): Promise<Applied> {
  const batched = plan.statements.some((each) => batchDirective(each) !== undefined);
  if (!resume && !batched && (plan.mode === "transaction" || plan.error || isOneTransaction(plan))) {
    const audit = ({ rows, attempts: { count, lockWait } }: Applied) => {
      const data = { checksum: migration.checksum, rows, attempts: count, lockWait, statements: statementHashes(plan) };
      return run.records.auditStatements({ event: "migration.applied", migration: migration.name, data }, true);
    };
    try {
      return await applyInTransaction(run, migration, plan, first, audit);
    } catch (error) {
      if (!(error instanceof NeedsSteps) || plan.error) throw error;
      run.log.event("migration.steps", `  ${error.message}: going on statement by statement`, {
        migration: migration.name,
      });
    }
  }
  if (run.records.unavailable !== undefined)
    throw new NoRecords(migration.name, run.records.unavailable, run.session.target.user);
  return applyInSteps(run, migration, plan, first, resume);
}

/** Of the first statements: line and the beginning of the sha-256 of the text, by which a server's log can be matched. */
function statementHashes({ statements }: MigrationPlan): string[] {
  const hash = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);
  return statements.slice(0, 50).map(({ line, text }) => `${line}:${hash(text)}`);
}
