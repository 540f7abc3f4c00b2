import type { NeonBranch } from "./answers";
import type { NeonApi } from "./api";
import { settled } from "./operations";

/** The key of a branch's annotation by which this project knows its own branches, and what each is for. */
const OWN = "postgres-release";

/** The stack that a branch belongs to. */
export interface BranchStack {
  /** The name of the Pulumi project, and of its stack. */
  readonly project: string;
  readonly stack: string;
}

/** What a branch that backs a database up is of. */
export interface BackupOf extends BranchStack {
  readonly app: string;
  /** The release that it was made for; undefined for one by hand. */
  readonly release: string | undefined;
  /** The sha-256 of the migrations that it was made before. */
  readonly fingerprint: string;
}

/** Returns what is noted of a branch that backs a database up. */
export function backupAnnotation({ project, stack, app, release, fingerprint }: BackupOf): Record<string, string> {
  const known = release === undefined ? {} : { release };
  return { [OWN]: "backup", project, stack, app, migrations: fingerprint, ...known };
}

/** Whether a branch backs up a database of this stack. Nothing else of the stack, and nothing of others, is one. */
export function isBackupOf({ annotation, default: isDefault }: NeonBranch, { project, stack }: BranchStack): boolean {
  const { [OWN]: purpose, project: ofProject, stack: ofStack } = annotation;
  return purpose === "backup" && ofProject === project && ofStack === stack && !isDefault;
}

/** Returns the branch of exactly this name; undefined if there is none. */
export async function branchNamed(api: NeonApi, name: string): Promise<NeonBranch | undefined> {
  return (await api.branches(name)).find((each) => each.name === name);
}

/** Lists the branches that back up databases of a stack, the oldest first. */
export async function backupBranches(api: NeonApi, of: BranchStack): Promise<NeonBranch[]> {
  const found = (await api.branches()).filter((each) => isBackupOf(each, of));
  return found.sort((a, b) => Date.parse(a.created_at) - Date.parse(b.created_at));
}

/**
 * Deletes a branch that backs a database up, and waits until it is gone. Neon refuses one that is protected, or that
 * others were made of. The caller has made sure that nobody relies upon it.
 * @throws NeonError if Neon refuses, or if it is no backup of this stack
 */
export async function removeBackupBranch(api: NeonApi, id: string, of: BranchStack): Promise<void> {
  const branch = await api.branch(id);
  if (!isBackupOf(branch, of)) throw new Error(`${branch.name} is no backup of ${of.project}.${of.stack}`);
  await settled(api, await api.deleteBranch(id));
}
