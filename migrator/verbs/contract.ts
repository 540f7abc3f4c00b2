import { setTimeout as pause } from "node:timers/promises";
import type { Migration } from "../../migrations/history/history";
import { loadParser } from "../../migrations/history/plan";
import { formatDuration } from "../../text/short-duration";
import { OrdinaryAfterContract } from "../failures/history";
import { compareHistory } from "../records/history-state";
import type { Run } from "../run";

/**
 * Returns the history without the contract migrations (`-- release: contract`) that wait for the rollout, because the
 * pods of the old version may still use what they take away. A database without applied migrations has no such pods,
 * and gets every migration.
 * @throws OrdinaryAfterContract if another pending migration follows one of them
 */
export async function beforeRollout(run: Run, migrations: readonly Migration[]): Promise<readonly Migration[]> {
  const { applied, pending } = compareHistory(migrations, await run.table.read(run.session));
  if (applied.length === 0 || pending.length === 0) return migrations;
  await loadParser();
  const first = pending.findIndex((migration) => run.plans.of(migration).contract);
  if (first < 0) return migrations;
  const held = pending.slice(first);
  const ordinary = held.find((migration) => !run.plans.of(migration).contract);
  if (ordinary) throw new OrdinaryAfterContract(ordinary.name, held[0]!.name);
  const names = held.map(({ name }) => name);
  run.log.event("contract.held", `After the rollout: ${names.join(", ")} (release: contract).`, { migrations: names });
  return migrations.filter((migration) => !held.includes(migration));
}

/** The time between two log lines about the wait for contract migrations, in milliseconds. */
const REMINDER_MS = 60_000;

/**
 * Waits for `settings.soak` while the new version serves, before what only the old version used is taken away. Until
 * then the release can still be taken back.
 */
export async function soak(run: Run, migrations: readonly Migration[]): Promise<void> {
  const { settings, log, signal, session, table } = run;
  const { pending } = compareHistory(migrations, await table.read(session));
  if (pending.length === 0) return;
  const until = Date.now() + settings.soak;
  for (let left = settings.soak; left > 0; left = until - Date.now()) {
    log.event("contract.soak", `The new version serves; ${pending[0]!.name} follows in ${formatDuration(left)}.`, {
      left,
    });
    await pause(Math.min(left, REMINDER_MS), undefined, { signal });
  }
}
