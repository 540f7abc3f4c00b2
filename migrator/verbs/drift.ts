import type { Migration } from "../../migrations/history/history";
import { loadParser } from "../../migrations/history/plan";
import { plannedEffects } from "../apply/planned-effects";
import { runChecks } from "../checks/check";
import { drift as driftCheck } from "../checks/preflight/drift";
import { DriftFound } from "../failures/findings";
import { compareHistory } from "../records/history-state";
import type { Run } from "../run";

/** The exit status of `drift` if it can't be told whether the schema was changed. */
const UNKNOWN_EXIT = 10;

/**
 * Compares the live schema with what the last release left, or with the applied migrations on a scratch database. It is
 * the check `drift` of preflight by itself, and changes nothing.
 * @returns 0 if nothing differs, 10 if that can't be told
 * @throws DriftFound
 */
export async function drift(run: Run, migrations: readonly Migration[]): Promise<number> {
  const { session, table, log } = run;
  const tableExists = await table.exists(session);
  const historyState = compareHistory(migrations, await table.read(session));
  await loadParser();
  const planned = plannedEffects(run.plans, historyState.applied, [], table.schema);
  const context = { run, migrations, historyState, tableExists, planned };
  const [result] = await runChecks([driftCheck], context, { drift: "fail" });
  const { findings, facts, outcome } = result!;
  const [finding] = findings;
  if (finding) throw new DriftFound(finding);
  if (outcome === "unknown") {
    log.event("drift.unknown", `Whether the schema was changed by hand can't be told (${facts}).`);
    return UNKNOWN_EXIT;
  }
  log.event("drift.finished", `No drift (${facts}).`);
  return 0;
}
