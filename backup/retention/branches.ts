import { backupName } from "../names";
import type { NeonBranch } from "../neon/answers";
import type { NeonApi } from "../neon/api";
import { backupBranches, removeBackupBranch } from "../neon/branches";
import { NeonError } from "../neon/error";
import { isComplete, OperationFailed } from "../neon/operations";
import type { StoredBackup } from "./choose";
import type { BackupOwner, PrunedStore } from "./prune";

/** A branch that backs up the database of a stack. */
interface StoredBranch extends StoredBackup {
  /** Neon's id of the branch; its name can be changed. */
  readonly branch: string;
}

/** The attempt of a release, at the end of a branch's name. */
const ATTEMPT = /-[0-9a-f]{12}(?:-([1-9]\d{0,8}))?$/;

/**
 * Finds the branches that back up the database of a stack. What is noted of a branch can't be changed after it was made,
 * but its name can: both must be what a release of this stack gives, to the letter.
 *
 * @param api the API of the project
 */
export async function branchStore(api: NeonApi, owner: BackupOwner): Promise<PrunedStore<StoredBranch>> {
  const own = await backupBranches(api, owner);
  // Neon refuses to delete a branch that others were made of, as by a restore.
  const parents = new Set((await api.branches()).map(({ parent_id }) => parent_id));
  return {
    title: `Neon's project ${api.access.project}`,
    backups: own.filter((each) => isOwn(each, owner) && !parents.has(each.id) && !each.protected).map(stored),
    halfRemoved: [],
    remove: ({ branch }) => removeBackupBranch(api, branch, owner),
    refusal: (error) => (error instanceof NeonError || error instanceof OperationFailed ? error.message : undefined),
  };
}

function isOwn({ name, annotation }: NeonBranch, owner: BackupOwner): boolean {
  const { app, migrations = "" } = annotation;
  const attempt = Number(ATTEMPT.exec(name)?.[1] ?? 1);
  return app === owner.app && migrations !== "" && name === backupName(owner, migrations, attempt);
}

function stored(branch: NeonBranch): StoredBranch {
  const { id, name, created_at } = branch;
  return { id: name, branch: id, begunAt: new Date(created_at), state: isComplete(branch) ? "complete" : "unfinished" };
}
