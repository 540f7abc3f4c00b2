import type { Kept, Retention, StoredBackup } from "../../backup/retention/choose";
import type { Kubectl } from "../../by-hand/kubectl";
import type { CommandStack } from "../../by-hand/stack";

/** What a removal of old backups works with. */
export interface PruneRun {
  readonly stack: CommandStack<"backup" | "rehearsal">;
  readonly kubectl: Kubectl;
  /** What decides which backups go. */
  readonly retention: Retention;
  /** Whether to show what would go, and to remove nothing. */
  readonly plan: boolean;
  /** The command as it was typed, for messages. */
  readonly rerun: string;
  /** Is aborted by Ctrl-C. What is being removed then is finished; no further one is begun. */
  readonly stop: AbortSignal;
  /** Says what happens meanwhile, in lines for people. */
  readonly say: (line: string) => void;
}

/** A backup that should go and could not be removed. */
export interface NotRemoved {
  readonly id: string;
  readonly reason: string;
}

/** What was done with the backups in one place, such as a region or a bucket. */
export interface PrunedPlace {
  /** The place, such as "snapshots in eu-central-1". */
  readonly title: string;
  /** What is removed there, in the singular. Default: `backup`. */
  readonly what?: string;
  readonly stay: readonly Pick<Kept<StoredBackup>, "backup" | "because">[];
  /** What was removed, or would be if only the plan is wanted. */
  readonly gone: readonly StoredBackup[];
  readonly notRemoved: readonly NotRemoved[];
  /** What a person should know, each with the state and the next command. */
  readonly warnings: readonly string[];
}

/** Removes old backups of one kind. @throws CommandFailure if they can't be listed */
export type Pruner = (run: PruneRun) => Promise<PrunedPlace[]>;
