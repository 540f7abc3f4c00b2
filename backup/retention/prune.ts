import type { Log } from "../../migrator/log";
import { counted } from "../../text/counted";
import { chooseBackups, type Retention, type StoredBackup } from "./choose";

/** The stack whose backups are looked for. */
export interface BackupOwner {
  /** The Pulumi project. */
  readonly project: string;
  readonly stack: string;
  readonly app: string;
}

/** The backups of a stack in one place, and how one of them is removed. */
export interface PrunedStore<B extends StoredBackup> {
  /** The place in messages, such as "the bucket notes-backups". */
  readonly title: string;
  readonly backups: readonly B[];
  /** Those of which a killed removal has left a part. They are no backups any more, whatever the settings say. */
  readonly halfRemoved: readonly B[];
  /** Removes a backup, or what is left of it. Whatever it throws, the next run can finish it. */
  remove(backup: B): Promise<void>;
  /** Is called with each one that stays. */
  keep?(backup: B): Promise<void>;
  /** Returns why the removal of one was refused; undefined if the error is about all of them. */
  refusal(error: unknown): string | undefined;
}

/** What a removal of old backups works with. */
export interface PruneWork {
  readonly retention: Retention;
  /** Whether to show what would go, and to remove nothing. */
  readonly plan: boolean;
  readonly log: Log;
  /** Is aborted by SIGTERM. What is being removed then is removed whole; no further one is begun. */
  readonly signal: AbortSignal;
}

/**
 * Removes old backups, and logs an event for each: `backup.stays`, `backup.gone` or `backup.not-removed`.
 *
 * @returns whether all went that should
 * @throws an error that is about all of them
 */
export async function pruneStore<B extends StoredBackup>(
  store: PrunedStore<B>,
  { retention, plan, log, signal }: PruneWork,
): Promise<boolean> {
  const { stay, go } = chooseBackups(store.backups, retention);
  for (const { backup, because } of stay) {
    log.event("backup.stays", `${backup.id} stays: ${because}.`, { ...fields(backup), because });
    if (!plan) await store.keep?.(backup);
  }
  let refused = 0;
  for (const backup of [...store.halfRemoved, ...go]) {
    if (signal.aborted) break;
    try {
      if (!plan) await store.remove(backup);
      log.event("backup.gone", `${backup.id} ${plan ? "would go" : "is removed"}.`, fields(backup));
    } catch (error) {
      const reason = store.refusal(error);
      if (reason === undefined) throw error;
      refused += 1;
      log.event("backup.not-removed", `${backup.id} is NOT removed: ${reason}`, { ...fields(backup), reason });
    }
  }
  log.event("backups.pruned", `${counted(stay.length, "backup")} in ${store.title} stay.`);
  return refused === 0;
}

function fields({ id, begunAt }: StoredBackup): { id: string; begunAt: string } {
  return { id, begunAt: begunAt.toISOString() };
}
