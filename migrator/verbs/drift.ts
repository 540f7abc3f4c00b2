import type { Migration } from "../../migrations/history/history";
import { loadParser } from "../../migrations/history/plan";
import { counted } from "../../text/counted";
import { plannedEffects } from "../apply/planned-effects";
import { runChecks } from "../checks/check";
import { compareObjects } from "../checks/drift/compare";
import { findingText } from "../checks/drift/findings";
import { withOrigins } from "../checks/drift/origins";
import { compareRecorded } from "../checks/drift/recorded";
import { type DriftReport, directionSql, driftReport } from "../checks/drift/report";
import { describeLook } from "../checks/hotfix/describe";
import { type HotfixLook, lookAtHotfixes, recordable } from "../checks/hotfix/look";
import { drift as driftCheck } from "../checks/preflight/drift";
import { DriftFound } from "../failures/findings";
import { nextCommand } from "../next-command";
import { compareHistory, type HistoryState } from "../records/history-state";
import type { Run } from "../run";

/** The exit status of `drift` if it can't be told whether the schema was changed. */
const UNKNOWN_EXIT = 10;

const RECORDED = "what the last release recorded";

/**
 * Compares every object of the live database with what the applied migrations make on a scratch database, and writes
 * the SQL for both directions. Where there can be no scratch database, it compares with what the last release recorded.
 * Without that it is the check `drift` of preflight by itself, which knows fewer kinds of objects and no SQL. It changes
 * nothing.
 * @returns 0 if nothing differs, 10 if that can't be told
 * @throws DriftFound
 */
export async function drift(run: Run, migrations: readonly Migration[]): Promise<number> {
  const { session, table, log } = run;
  const tableExists = await table.exists(session);
  const rows = await table.read(session);
  const historyState = compareHistory(migrations, rows);
  const { applied, unfinished, missing } = historyState;
  if (missing.length > 0)
    return untold(run, `the database has migrations that this folder has not, such as ${missing[0]!.migrationName}`);
  await loadParser();
  if (applied.length === 0 || unfinished.length > 0)
    return compareAsPreflight(run, migrations, { historyState, tableExists, hotfixes: [] });
  const hotfixes = await lookAtHotfixes(run, historyState);
  const made = [...applied, ...recordable(hotfixes)];
  for (const look of hotfixes) log.event("drift.hotfix", `Pending hotfix ${describeLook(look)}.`, {});
  const more = made.length - applied.length;
  const pending = more === 0 ? "" : ` and ${counted(more, "pending hotfix", "pending hotfixes")}`;
  let source = `the ${counted(applied.length, "applied migration")}${pending} on a scratch database`;
  let report = await compareObjects(run, made, (compared) => withOrigins(run, compared, driftReport(compared, made)));
  if ("unknown" in report) {
    const { unknown } = report;
    // The record is from before a hotfix that is there already.
    const recorded = made.length === applied.length ? await compareRecorded(run, applied) : undefined;
    const how = recorded ? `with ${RECORDED}` : "as preflight does, without comments and grants, and without SQL";
    log.event("drift.partly", `Compared ${how}: ${unknown}.`);
    if (!recorded) return compareAsPreflight(run, migrations, { historyState, tableExists, hotfixes });
    source = RECORDED;
    report = await withOrigins(run, recorded, driftReport(recorded, applied));
  }
  for (const key of report.outside) log.event("drift.outside", `Not managed by the history: ${key}`, { key });
  for (const each of report.ignored)
    log.event("drift.ignored", `Ignored: ${findingText(each)} (${each.reason})`, {
      key: each.key,
      reason: each.reason,
    });
  const finished = (await table.read(session)).filter(({ finishedAt }) => finishedAt !== null);
  if (finished.length !== rows.filter(({ finishedAt }) => finishedAt !== null).length)
    return untold(run, "a migration was applied meanwhile");
  if (report.differences.length > 0) throw found(run, report);
  log.event("drift.finished", `No drift (as ${source}).`);
  return 0;
}

function untold({ log }: Run, reason: string): number {
  log.event("drift.unknown", `Whether the schema was changed by hand can't be told (${reason}).`);
  return UNKNOWN_EXIT;
}

/** Writes the SQL or the JSON that was asked for, and returns the failure that names each difference. */
function found({ log, settings }: Run, report: DriftReport): DriftFound {
  const { differences, toHistory, toDatabase } = report;
  if (settings.drift.format === "json")
    log.event("drift", "Everything that differs, with its SQL.", {
      ...report,
      toHistory: { ...toHistory },
      toDatabase: { ...toDatabase },
    });
  if (settings.drift.format === "sql")
    log.write(
      log.redact(
        settings.drift.direction === "to-history"
          ? directionSql("A migration that brings the history to the database. The database has all of it.", toHistory)
          : directionSql("Brings the database back to its history.", toDatabase),
      ),
    );
  const statements = (name: string, { statements, notGenerated }: DriftReport["toHistory"]) => [
    `  SQL ${name}: ${counted(statements.length, "statement")}, ${statements.filter(({ loses }) => loses).length} destructive, ${notGenerated.length} not generated`,
    ...notGenerated.map(({ key, why }) => `    Not generated: ${key}: ${why}`),
  ];
  const sql = (direction: string) => nextCommand(`drift --format sql --direction ${direction}`, settings);
  return new DriftFound({
    what: `The live database differs in ${counted(differences.length, "object")} from its history: somebody changed it by hand.`,
    evidence: [
      ...differences.map((each) => `  ${findingText(each)}`),
      ...statements("to-history", toHistory),
      ...statements("to-database", toDatabase),
    ],
    next: `bring it into the history: ${nextCommand("adopt --name NAME", settings)}; or take it back by the SQL of \`${sql("to-database")}\``,
  });
}

async function compareAsPreflight(
  run: Run,
  migrations: readonly Migration[],
  known: { historyState: HistoryState; tableExists: boolean; hotfixes: readonly HotfixLook[] },
): Promise<number> {
  const { table, log } = run;
  const planned = plannedEffects(run.plans, known.historyState.applied, [], table.schema);
  const context = { run, migrations, planned, ...known };
  const [result] = await runChecks([driftCheck], context, { drift: "fail" });
  const { findings, facts, outcome } = result!;
  const [finding] = findings;
  if (finding) throw new DriftFound(finding);
  if (outcome === "unknown") return untold(run, facts);
  log.event("drift.finished", `No drift (${facts}).`);
  return 0;
}
