import type { Log } from "../../migrator/log";
import { counted } from "../../text/counted";
import { StoreRefused } from "../failures/store";
import type { Store } from "../stores/store";
import { chooseBackups, type Retention } from "./choose";
import { type DumpOwner, findDumps, finishRemoval, forgetRemoval, removeDump, type StoredDump } from "./dumps";

/** What a removal of old dumps works with. */
export interface PruneDumpsRun {
  readonly store: Store;
  readonly owner: DumpOwner;
  readonly retention: Retention;
  /** Whether to show what would go, and to remove nothing. */
  readonly plan: boolean;
  readonly log: Log;
  /** Is aborted by SIGTERM. The dump that is being removed then is removed whole; no further one is begun. */
  readonly signal: AbortSignal;
}

/**
 * Removes old dumps, and logs an event for each dump: `dump.stays`, `dump.gone` or `dump.not-removed`.
 *
 * @returns whether all went that should
 * @throws the failure of the store, unless it only refuses a removal
 */
export async function pruneDumps({ store, owner, retention, plan, log, signal }: PruneDumpsRun): Promise<boolean> {
  const { dumps, halfRemoved } = await findDumps(store, owner);
  const { stay, go } = chooseBackups(dumps, retention);
  for (const { backup, because } of stay) {
    log.event("dump.stays", `${backup.id} stays: ${because}.`, { ...fields(backup), because });
    if (backup.marked && !plan) await forgetRemoval(store, backup);
  }
  let refused = 0;
  const removals = [
    ...halfRemoved.map((dump) => ({ dump, remove: () => finishRemoval(store, dump) })),
    ...go.map((dump) => ({ dump, remove: () => removeDump(store, dump) })),
  ];
  for (const { dump, remove } of removals) {
    if (signal.aborted) break;
    try {
      if (!plan) await remove();
      log.event("dump.gone", `${dump.id} ${plan ? "would go" : "is removed"}.`, fields(dump));
    } catch (error) {
      if (!(error instanceof StoreRefused)) throw error;
      refused += 1;
      log.event("dump.not-removed", `${dump.id} is NOT removed: ${error.message}`, {
        ...fields(dump),
        reason: error.message,
      });
    }
  }
  log.event("dumps.pruned", `${counted(stay.length, "dump")} in ${store.title} stay.`);
  return refused === 0;
}

function fields({ id, begunAt }: StoredDump): { id: string; begunAt: string } {
  return { id, begunAt: begunAt.toISOString() };
}
