import type { Migration } from "../../migrations/history/history";
import { loadParser } from "../../migrations/history/plan";
import { counted } from "../../text/counted";
import { formatDuration } from "../../text/short-duration";
import { checkDirectives } from "../apply/directives";
import { plannedEffects } from "../apply/planned-effects";
import { applyQueue } from "../apply/queue";
import { analyzeTables } from "../checks/analyze";
import { countRows } from "../checks/counts";
import { readHistory } from "../checks/history-gate";
import { publishUnchanged } from "../checks/publish-report";
import { behindBefore } from "../checks/sequences";
import { checkSnapshot, checkSnapshotDatabase, protectingBackup } from "../checks/snapshot-gate";
import { verify } from "../checks/verify";
import type { VerifyContext } from "../checks/verify/context";
import { releaseLock, takeLock } from "../db/lock";
import type { HistoryState } from "../records/history-state";
import { type Progress, readProgress } from "../records/progress";
import { appliedSinceVerified } from "../records/release-records";
import { recordCounters } from "../records/write-counters";
import type { Run } from "../run";
import { recordHotfixes } from "./hotfixes";
import { logMeasured, readBefore } from "./measured";

/**
 * Applies every pending migration of the history, and verifies the result. If several runners start at once, one of
 * them works; the others wait and then find nothing left to do. If a run is interrupted at any point, the next run
 * continues correctly.
 */
export async function deploy(run: Run, migrations: readonly Migration[]): Promise<void> {
  const { session, settings, log, signal } = run;
  await takeLock(session, settings.runnerWait, log, signal);
  try {
    const progress = await readProgress(run.records);
    const resumable = new Set(progress.map(({ historyId }) => historyId));
    const found = await readHistory(run, migrations, resumable);
    for (const { name } of found.outOfOrder)
      log.event(
        "out-of-order",
        `Warning: ${name} is older than the newest applied migration; it is applied all the same, as Prisma does.`,
        {
          migration: name,
        },
      );
    await checkDirectives(run, found.applied, found.pending);
    const history = await recordHotfixes(run, migrations, found, resumable);
    if (history.pending.length === 0) {
      // An earlier run may have applied everything, and then failed its verification or been killed before it.
      const unverified = (await run.records.readable()) ? await appliedSinceVerified(run.records, history.applied) : [];
      if (unverified.length > 0) {
        await loadParser();
        const effects = plannedEffects(run.plans, [], unverified, run.table.schema);
        const behind = await behindBefore(run, history.applied, false);
        await verify(run, migrations, { ...effects, before: {}, behindBefore: behind });
      }
      if (run.measure) await logMeasured(run, run.measure, await readBefore(run, run.measure));
      log.event("deploy.finished", `Nothing to do: all ${migrations.length} migrations are applied.`, { applied: 0 });
      if (unverified.length === 0) await publishUnchanged(run);
      return;
    }
    checkSnapshot((await protectingBackup(run))?.backup, history.pending.length);
    await checkSnapshotDatabase(run, history.pending.length);
    const began = Date.now();
    log.event("deploy.started", `${history.pending.length} of ${migrations.length} migrations are pending.`, {
      pending: history.pending.length,
    });
    await Promise.all([loadParser(), run.records.ensure()]);
    if (run.records.unavailable !== undefined)
      log.event("records.unavailable", `Warning: no audit trail and no facts are kept: ${run.records.unavailable}.`);
    await recordCounters(run.records, "before-migrations");
    const creation = history.tableExists ? [] : await run.table.creation(session);
    const behind = await behindBefore(run, history.applied, true);
    const rowsBefore: VerifyContext["before"] = {};
    const readings = run.measure && (await readBefore(run, run.measure));
    const planned = await applyQueue(run, queueOf(history, progress), creation, async (tables) => {
      Object.assign(rowsBefore, await countRows(session, tables));
    });
    await analyzeTables(run, planned.all);
    if (run.measure && readings) await logMeasured(run, run.measure, readings);
    const kept = new Set(planned.tables.map(({ table }) => table));
    const before = Object.fromEntries(Object.entries(rowsBefore).filter(([table]) => kept.has(table)));
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

/** Puts migrations that are partly applied first, because nothing may be applied over them. */
function queueOf({ pending, unfinished }: HistoryState, progress: readonly Progress[]) {
  const begun = new Map(unfinished.map(({ migrationName, id }) => [migrationName, id]));
  const queue = pending.map((migration) => {
    const row = begun.get(migration.name);
    return { migration, resume: progress.find(({ historyId }) => historyId === row) };
  });
  const isBegun = ({ migration }: { migration: Migration }) => begun.has(migration.name);
  return [...queue.filter(isBegun), ...queue.filter((each) => !isBegun(each))];
}
