import type { Migration } from "../../migrations/history/history";
import { loadParser, type MigrationPlan } from "../../migrations/history/plan";
import { counted } from "../../text/counted";
import { formatDuration } from "../../text/short-duration";
import { batchDirective } from "../apply/batch-statement";
import { checkDirectives } from "../apply/directives";
import { applyJointly, isQuick, JOINT, type PlannedMigration } from "../apply/joint";
import { EffectPlanner, type PlannedEffects, plannedEffects } from "../apply/planned-effects";
import { statementHashes } from "../apply/statement-hashes";
import { applyInSteps } from "../apply/steps";
import { type Applied, applyInTransaction, isOneTransaction, NeedsSteps } from "../apply/transaction";
import { analyzeTables } from "../checks/analyze";
import { type Count, countRows } from "../checks/counts";
import { readHistory } from "../checks/history-gate";
import { publishUnchanged } from "../checks/publish-report";
import { behindBefore } from "../checks/sequences";
import { checkSnapshot } from "../checks/snapshot-gate";
import { verify } from "../checks/verify";
import { keepLock, releaseLock, takeLock } from "../db/lock";
import type { NotRead } from "../db/safe-read";
import type { Failure } from "../failures/failure";
import { NoRecords } from "../failures/statement";
import type { Judgement } from "../records/judgement";
import { type Progress, readProgress } from "../records/progress";
import { appliedSinceVerified } from "../records/release-records";
import type { Run } from "../run";

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
      const unverified = (await run.records.readable()) ? await appliedSinceVerified(run.records, history.applied) : [];
      if (unverified.length > 0) {
        await loadParser();
        const effects = plannedEffects([], unverified, run.table.schema);
        const behind = await behindBefore(run, history.applied, false);
        await verify(run, migrations, { ...effects, before: {}, behindBefore: behind });
      }
      log.event("deploy.finished", `Nothing to do: all ${migrations.length} migrations are applied.`, { applied: 0 });
      if (unverified.length === 0) await publishUnchanged(run);
      return;
    }
    await checkDirectives(history.applied, history.pending, run.table.schema);
    checkSnapshot(settings.snapshot, history.pending.length);
    const began = Date.now();
    log.event("deploy.started", `${history.pending.length} of ${migrations.length} migrations are pending.`, {
      pending: history.pending.length,
    });
    await Promise.all([loadParser(), run.records.ensure()]);
    if (run.records.unavailable !== undefined)
      log.event("records.unavailable", `Warning: no audit trail and no facts are kept: ${run.records.unavailable}.`);
    const creation = history.tableExists ? [] : await run.table.creation(session);
    // What is half applied is finished first: nothing is applied over it.
    const begun = new Set(history.unfinished.map(({ migrationName }) => migrationName));
    const pending = [false, true].flatMap((later) => history.pending.filter(({ name }) => begun.has(name) !== later));
    const behind = await behindBefore(run, history.applied, true);
    const { planned, before } = await applyAll(run, { ...history, pending }, progress, creation);
    await analyzeTables(run, planned.all);
    await verify(run, migrations, { ...planned, before, behindBefore: behind });
    const duration = Date.now() - began;
    const count = history.pending.length;
    log.event(
      "deploy.finished",
      `Done: ${counted(count, "migration")} applied in ${formatDuration(duration)}. The database is at ${migrations.at(-1)!.name}.`,
      { applied: count, duration },
    );
  } finally {
    await releaseLock(session);
  }
}

/** Applies what is pending in its order, planning ahead while the server works. */
async function applyAll(
  run: Run,
  { pending, unfinished }: Judgement,
  progress: readonly Progress[],
  creation: string[],
): Promise<{ planned: PlannedEffects; before: Record<string, Count | NotRead> }> {
  const planner = new EffectPlanner(run.table.schema);
  const plans: PlannedMigration[] = [];
  const before: Record<string, Count | NotRead> = {};
  let touched: string[] = [];
  const planUntil = (end: number) => {
    while (plans.length < Math.min(end, pending.length)) {
      const migration = pending[plans.length]!;
      const added = planner.add(migration);
      plans.push({ migration, plan: added.plan });
      touched.push(...added.touched);
    }
  };
  const resumeOf = ({ name }: Migration) => {
    const row = unfinished.find(({ migrationName }) => migrationName === name);
    return row && progress.find(({ historyId }) => historyId === row.id);
  };
  let first = creation;
  // Something in a message failed: that migration goes by itself.
  let alone = -1;
  let untold: (() => void) | undefined;
  const told = () => {
    untold?.();
    untold = undefined;
  };
  try {
    for (let at = 0; at < pending.length; ) {
      planUntil(at + 1);
      const quick = (index: number) =>
        index !== alone && isQuick(plans[index]!) && resumeOf(pending[index]!) === undefined;
      let end = at;
      if (quick(at)) {
        planUntil(at + JOINT);
        while (end < Math.min(at + JOINT, plans.length) && quick(end)) end++;
      }
      // Counted before anything in the plan so far touches them.
      if (touched.length > 0) Object.assign(before, await countRows(run.session, touched));
      touched = [];
      if (end - at > 1) {
        const joint = plans.slice(at, end);
        const { applied, tell } = await applyJointly(run, joint, first, () => {
          told();
          planUntil(end + JOINT);
        });
        untold = tell;
        if (applied > 0) first = [];
        if (applied < joint.length) alone = at + applied;
        at += applied;
      } else {
        told();
        const migration = pending[at]!;
        await apply(run, migration, plans[at]!.plan, first, resumeOf(migration));
        first = [];
        at++;
      }
    }
  } finally {
    told();
  }
  const planned = planner.planned();
  const kept = new Set(planned.tables.map(({ table }) => table));
  return { planned, before: Object.fromEntries(Object.entries(before).filter(([table]) => kept.has(table))) };
}

async function apply(
  run: Run,
  migration: Migration,
  plan: MigrationPlan,
  first: string[],
  resume: Progress | undefined,
): Promise<void> {
  run.signal.throwIfAborted();
  const { log, records } = run;
  const { name, checksum } = migration;
  log.event("migration.started", name, { migration: name, checksum });
  try {
    const applied = await applyAsPlanned(run, migration, plan, first, resume);
    await keepLock(run.session, migration.sql, log);
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
      return run.records.auditStatements(
        { event: "migration.applied", migration: migration.name, data },
        "pg_catalog.now()",
      );
    };
    try {
      return await applyInTransaction(run, migration, plan, first, audit);
    } catch (error) {
      if (!(error instanceof NeedsSteps) || plan.error) throw error;
      run.log.event("migration.steps", `  ${error.message}: rolled back, and going on in steps`, {
        migration: migration.name,
      });
    }
  }
  if (run.records.unavailable !== undefined)
    throw new NoRecords(migration.name, run.records.unavailable, run.session.target.user);
  return applyInSteps(run, migration, plan, first, resume);
}
