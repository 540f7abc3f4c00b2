import type { Migration } from "../../migrations/history/history";
import { loadParser } from "../../migrations/history/plan";
import { type PlannedEffects, plannedEffects } from "../apply/planned-effects";
import type { NotRead } from "../db/safe-read";
import { VerifyFindings } from "../failures/findings";
import { compareHistory } from "../records/history-state";
import { recordCatalog, recordData } from "../records/release-records";
import { recordCounters } from "../records/write-counters";
import type { Run } from "../run";
import { readCatalog } from "./catalog";
import { runChecks } from "./check";
import type { Count } from "./counts";
import { recordObjects } from "./drift/recorded";
import { publishReport } from "./publish-report";
import { readStatistics } from "./statistics";
import { constraints } from "./verify/constraints";
import type { VerifyCheck } from "./verify/context";
import { analyzed, rows, sequencesAhead } from "./verify/data";
import { finished, schemaComplete, validIndexes } from "./verify/schema";
import { slowest } from "./verify/statements";

/** The checks after a deploy, in the order of the report. */
export const VERIFY_CHECKS: readonly VerifyCheck[] = [
  ...[finished, schemaComplete, validIndexes, constraints],
  ...[rows, sequencesAhead, analyzed, slowest],
];

/** What a deploy did, for the checks after it. */
export interface Deployed extends Pick<PlannedEffects, "plans" | "promises" | "all"> {
  /** The rows of the touched tables before the deploy. */
  readonly before: Readonly<Record<string, Count | NotRead>>;
  /** The sequences that were behind their columns before the deploy; undefined: unknown. */
  readonly behindBefore: readonly string[] | undefined;
}

/**
 * Checks that the database is what the migrations promise. After a deploy it records the catalog, so that the next
 * preflight can find drift.
 * @param deployed what the deploy did; undefined: the check runs by itself and records neither catalog nor statistics
 * @throws VerifyFindings if a check that is set to `fail` found something
 */
export async function verify(run: Run, migrations: readonly Migration[], deployed?: Deployed): Promise<void> {
  const { session, settings, log } = run;
  await loadParser();
  const catalog = await readCatalog(session);
  const historyState = compareHistory(migrations, await run.table.read(session));
  // Migrations that are not applied yet promise nothing.
  const { plans, promises, all } = deployed ?? plannedEffects(run.plans, [], historyState.applied, run.table.schema);
  const context = {
    run,
    migrations,
    plans,
    promises,
    catalog,
    touched: deployed ? all : [],
    before: deployed?.before ?? {},
    behindBefore: deployed?.behindBefore,
  };
  const results = await runChecks(VERIFY_CHECKS, context, settings.levels);
  const failed = results.flatMap(({ findings }) => findings).filter(({ level }) => level === "fail");
  // A schema that failed its own verification is no reference for the next release.
  if (deployed && failed.length === 0 && historyState.applied.length > 0) {
    await recordCatalog(run.records, historyState.applied.at(-1)!.name, historyState.applied.length, catalog);
    await recordObjects(run, historyState.applied);
  }
  if (deployed) await recordData(run.records, "statistics", await readStatistics(session));
  await publishReport(run, {
    stage: "after",
    results,
    pending: historyState.pending.map(({ name }) => name),
    scope: [...context.touched],
  });
  if (deployed) await recordCounters(run.records, "after-migrations");
  if (failed.length > 0)
    throw new VerifyFindings(failed, { open: migrations.length - historyState.applied.length, all: migrations.length });
  log.event("verify.finished", "Verified: the database is what the migrations promise.", {});
}
