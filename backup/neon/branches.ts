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

/** What a branch that was restored is of. */
export interface RestoreOf extends BranchStack {
  /** The id of the branch of the database itself. */
  readonly source: string;
  /** The branch or the moment that it was made of. */
  readonly from: string;
  /** The time from which on anybody may remove it, ISO 8601, if it was made for a rehearsal; undefined: it was not. */
  readonly rehearsal?: string | undefined;
}

/** Returns what is noted of a branch that was restored. */
export function restoreAnnotation({ project, stack, source, from, rehearsal }: RestoreOf): Record<string, string> {
  return { [OWN]: "restore", project, stack, source, from, ...(rehearsal === undefined ? {} : { rehearsal }) };
}

/** Whether a branch is what a restore of this source to this point makes: for people, or else for a rehearsal. */
export function isRestoreOf({ annotation }: NeonBranch, of: RestoreOf): boolean {
  const { rehearsal, ...rest } = of;
  if ((annotation["rehearsal"] === undefined) !== (rehearsal === undefined)) return false;
  return Object.entries(restoreAnnotation(rest)).every(([key, value]) => annotation[key] === value);
}

/** Lists the branches that restores have made for a stack, the oldest first. */
export async function restoreBranches(api: NeonApi, { project, stack }: BranchStack): Promise<NeonBranch[]> {
  const isOurs = ({ annotation, default: isDefault }: NeonBranch) =>
    annotation[OWN] === "restore" && annotation["project"] === project && annotation["stack"] === stack && !isDefault;
  return byAge((await api.branches()).filter(isOurs));
}

/** Returns the branch of exactly this name; undefined if there is none. */
export async function branchNamed(api: NeonApi, name: string): Promise<NeonBranch | undefined> {
  return (await api.branches(name)).find((each) => each.name === name);
}

/** Lists the branches that back up databases of a stack, the oldest first. */
export async function backupBranches(api: NeonApi, of: BranchStack): Promise<NeonBranch[]> {
  return byAge((await api.branches()).filter((each) => isBackupOf(each, of)));
}

function byAge(branches: readonly NeonBranch[]): NeonBranch[] {
  return [...branches].sort((a, b) => Date.parse(a.created_at) - Date.parse(b.created_at));
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
