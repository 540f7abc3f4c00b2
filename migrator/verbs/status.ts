import type { Migration } from "../../migrations/history/history";
import { historyElsewhere } from "../checks/history-gate";
import { nextCommand } from "../next-command";
import { compareHistory } from "../records/history-state";
import type { Run } from "../run";

/**
 * The exit statuses of `status`: everything is applied; something is pending; there is something that `deploy` would
 * refuse.
 */
const STATUS_EXIT = { upToDate: 0, pending: 10, refused: 4 } as const;

/**
 * Logs what is applied and what is not. It changes nothing and takes no lock.
 * @returns one of {@link STATUS_EXIT}
 */
export async function status(run: Run, migrations: readonly Migration[]): Promise<number> {
  const { log, session, table } = run;
  const historyState = compareHistory(migrations, await table.read(session));
  const elsewhere = (await table.exists(session)) ? undefined : await historyElsewhere(session, table.schema);
  if (elsewhere !== undefined) log.event("status.elsewhere", elsewhere);
  const edited = new Set(historyState.edited.map(({ migration }) => migration.name));
  const unfinished = new Set(historyState.unfinished.map((row) => row.migrationName));
  for (const { name } of migrations) {
    const state = edited.has(name)
      ? "edited since it was applied"
      : unfinished.has(name)
        ? "started, not finished"
        : historyState.pending.some((each) => each.name === name)
          ? "pending"
          : "applied";
    log.event("status.migration", `${name}: ${state}`, { migration: name, state });
  }
  for (const name of unfinished)
    if (!migrations.some((each) => each.name === name))
      log.event(
        "status.migration",
        `${name}: started, not finished, and not in the folder; next: ${nextCommand(`resolve --diagnose ${name}`, run.settings)}`,
        { migration: name, state: "unfinished" },
      );
  for (const { migrationName } of historyState.missing)
    log.event("status.migration", `${migrationName}: applied, but not in the folder`, {
      migration: migrationName,
      state: "missing",
    });
  const refused = edited.size + unfinished.size + historyState.missing.length > 0;
  const pending = historyState.pending.length;
  const summary = `${historyState.applied.length} applied, ${pending} pending, ${edited.size} edited, ${historyState.missing.length} missing in the folder, ${unfinished.size} unfinished.`;
  log.event("status.summary", summary, { applied: historyState.applied.length, pending });
  if (refused) return STATUS_EXIT.refused;
  return pending > 0 ? STATUS_EXIT.pending : STATUS_EXIT.upToDate;
}
