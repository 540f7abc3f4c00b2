import type { Migration } from "../../migrations/history/history";
import { loadParser } from "../../migrations/history/plan";
import type { ReportPart } from "../../report/contract";
import { plannedEffects } from "../apply/planned-effects";
import { PreflightFindings } from "../failures/findings";
import { compareHistory } from "../records/history-state";
import type { Run } from "../run";
import { runChecks } from "./check";
import { lookAtHotfixes, recordable } from "./hotfix/look";
import { connections, disk, replication } from "./preflight/capacity";
import type { PreflightCheck } from "./preflight/context";
import { directives } from "./preflight/directives";
import { drift } from "./preflight/drift";
import { history, order } from "./preflight/history";
import { hotfix } from "./preflight/hotfix";
import { invalidIndexes, sequences, sequencesBehind } from "./preflight/objects";
import { permissions } from "./preflight/permissions";
import { review } from "./preflight/review";
import { sameDatabase } from "./preflight/same-database";
import { server, superuser } from "./preflight/server";
import { locks, oldTransactions, prepared, runner, vacuum } from "./preflight/sessions";
import { statements } from "./preflight/statements";
import { tls } from "./preflight/tls";
import { transactions } from "./preflight/transactions";
import { publishReport } from "./publish-report";
import { dropLeftScratch } from "./scratch";

/** The checks before a release, in the order of the report. */
export const PREFLIGHT_CHECKS: readonly PreflightCheck[] = [
  ...[server, sameDatabase, tls, superuser, permissions],
  ...[history, order, transactions, statements, directives, review, hotfix, drift],
  ...[runner, locks, oldTransactions, prepared, vacuum],
  ...[connections, replication, disk],
  ...[invalidIndexes, sequences, sequencesBehind],
];

/**
 * Looks for everything that would make the release fail, before the release changes anything, and reports it all at
 * once.
 * @throws PreflightFindings if a check that is set to `fail` found something
 */
export async function preflight(run: Run, migrations: readonly Migration[]): Promise<void> {
  const { session, table, settings, log } = run;
  const tableExists = await table.exists(session);
  const historyState = compareHistory(migrations, await table.read(session));
  await dropLeftScratch(run);
  await loadParser();
  const hotfixes = await lookAtHotfixes(run, historyState);
  const recorded = recordable(hotfixes);
  const planned = plannedEffects(
    run.plans,
    [...historyState.applied, ...recorded],
    historyState.pending.filter((migration) => !recorded.includes(migration)),
    table.schema,
  );
  const results = await runChecks(
    PREFLIGHT_CHECKS,
    { run, migrations, historyState, tableExists, planned, hotfixes },
    settings.levels,
  );
  const scope = planned.tables.map(({ table: name, effects }) => {
    const works = [...new Set(effects.map(({ lock, work }) => (work === "none" ? lock : `${lock}, ${work}`)))];
    return `${name}: ${works.join("; ")}`;
  });
  for (const each of planned.unknown) scope.push(`not told by its text: ${each}`);
  const part: ReportPart = { stage: "before", results, pending: historyState.pending.map(({ name }) => name), scope };
  await publishReport(run, part);
  const failed = results.flatMap(({ findings }) => findings).filter(({ level }) => level === "fail");
  if (failed.length > 0) throw new PreflightFindings(failed);
  log.event("preflight.finished", `Preflight passed: ${historyState.pending.length} migrations are pending.`, {
    pending: historyState.pending.length,
  });
}
