import type { Session } from "../../migrator/db/connection";
import { describeTarget, type Target } from "../../migrator/db/url";
import type { Log } from "../../migrator/log";
import { HistoryTable } from "../../migrator/records/history-table";
import { refuseForeignRecords } from "../../migrator/records/record-tables";
import { Records } from "../../migrator/records/records";
import { recordData } from "../../migrator/records/release-records";
import type { RecordedBackup } from "../../report/contract";
import { branchLocation } from "../../settings/neon";
import { formatBytes } from "../../text/bytes";
import { formatDuration } from "../../text/short-duration";
import { BranchBroken, BranchNameTaken, BranchQueryRefused } from "../failures/branch";
import type { NeonBranch } from "../neon/answers";
import type { NeonApi } from "../neon/api";
import { type BackupOf, backupAnnotation, branchNamed, isBackupOf } from "../neon/branches";
import { NeonUnreachable } from "../neon/error";
import { isComplete, OperationFailed, readyBranch, settled } from "../neon/operations";
import { inSession, type SessionOptions } from "../session";
import type { BranchOptions } from "./options";
import { type Parent, parentOf } from "./parent";

/** What a branch is made with. */
export interface BranchRun {
  readonly options: BranchOptions;
  readonly target: Target;
  readonly api: NeonApi;
  readonly log: Log;
}

/**
 * Makes a branch of the database of a release, unless an earlier run has: a complete branch of this name, of the same
 * parent, is the one that was made before the same migrations. It is recorded in the database, where the migration
 * looks for it.
 */
export async function takeBranch({ options, target, api, log }: BranchRun): Promise<void> {
  const session: SessionOptions = {
    ...{ log, connectWait: options.connectWait, applicationName: "release-branch" },
    refused: ({ code, message }) => new BranchQueryRefused(`${message} (SQLSTATE ${code})`),
  };
  const applied = await inSession(target, session, readApplied);
  log.event("connected", `Connected to ${describeTarget(target)}.`);
  const parent = await foundParent(api, options, target);
  const { name, id } = parent.branch;
  log.event("branch.parent", `It is branch ${name} (${id}) of Neon's project ${options.project}.`);
  if (!parent.seen)
    log.event("branch.unseen", `Warning: that it is this branch is only what backup.branch.parent says.`);
  const known = await knownBranch(api, options, parent, log);
  if (!known && options.lastMigration !== undefined && applied.includes(options.lastMigration)) {
    const what = `The database has ${options.lastMigration} already: there is nothing to make a branch for.`;
    log.event("branch.needless", what);
    return;
  }
  const branch = known ?? (await newBranch(api, options, parent, log));
  await inSession(target, session, async (opened) => {
    const records = new Records(opened, target.schema, options.release);
    await records.ensure();
    if (records.unavailable !== undefined)
      log.event("records.unavailable", `Warning: the branch is not recorded in the database: ${records.unavailable}.`);
    await recordData(records, "branch", recorded(branch, parent, options));
  });
}

/** Returns the names of the migrations that the database has. */
async function readApplied(session: Session): Promise<string[]> {
  const table = new HistoryTable(session.target.schema);
  await refuseForeignRecords(session, table);
  const rows = await table.read(session);
  return rows
    .filter(({ finishedAt, rolledBackAt }) => finishedAt !== null && rolledBackAt === null)
    .map(({ migrationName }) => migrationName);
}

async function foundParent(api: NeonApi, { project, parent }: BranchOptions, { host, port }: Target): Promise<Parent> {
  const [endpoints, branches] = [await api.endpoints(), await api.branches()];
  return parentOf({ project, wanted: parent, host, port, endpoints, branches });
}

/**
 * Returns the branch that an earlier run has made or begun. One that is of another parent, or is not finished in time,
 * gives its name away, and is deleted by nobody.
 * @throws BranchNameTaken if a branch of this name was not made by this stack
 */
async function knownBranch(
  api: NeonApi,
  options: BranchOptions,
  { branch: parent }: Parent,
  log: Log,
): Promise<NeonBranch | undefined> {
  const found = await branchNamed(api, options.name);
  if (!found) return undefined;
  if (!isBackupOf(found, backupOf(options))) throw new BranchNameTaken(found.name, found.id);
  const begun = found.created_at;
  if (found.parent_id !== parent.id) {
    const renamed = await giveNameAway(api, found);
    log.event(
      "branch.renamed",
      `The branch ${found.name} of ${begun} is of another parent; it is named ${renamed} now.`,
    );
    return undefined;
  }
  try {
    const ready = isComplete(found) ? found : await readyBranch(api, found.id, options.trouble);
    log.event("branch.kept", `The branch ${found.name} (${found.id}) of ${begun} is there already.`);
    return ready;
  } catch (error) {
    if (!(error instanceof OperationFailed)) throw error;
    const renamed = await giveNameAway(api, found);
    log.event("branch.renamed", `The branch ${found.name} of ${begun} was never finished; it is named ${renamed} now.`);
    return undefined;
  }
}

/** Makes the branch, and waits until it has its data. */
async function newBranch(
  api: NeonApi,
  options: BranchOptions,
  { branch: parent }: Parent,
  log: Log,
): Promise<NeonBranch> {
  const begun = Date.now();
  const made = await begunBranch(api, options, parent);
  try {
    await settled(api, made.operations, options.trouble);
    const branch = await readyBranch(api, made.branch.id, options.trouble);
    const size =
      branch.logical_size === undefined ? "" : `, ${formatBytes(branch.logical_size)} that it shares with it`;
    const at = branch.parent_lsn === undefined ? "" : ` at LSN ${branch.parent_lsn}`;
    log.event(
      "branch.made",
      `Made branch ${branch.name} (${branch.id}) of ${parent.name}${at}${size}, in ${formatDuration(Date.now() - begun)}.`,
      { branch: branch.id, lsn: branch.parent_lsn },
    );
    return branch;
  } catch (error) {
    if (!(error instanceof OperationFailed)) throw error;
    const renamed = await giveNameAway(api, made.branch);
    throw new BranchBroken(options.name, renamed, error.message, error);
  }
}

/** Asks for the branch. A request whose answer is lost may have been heard, so it is looked for then. */
async function begunBranch(api: NeonApi, options: BranchOptions, parent: NeonBranch) {
  const wanted = { name: options.name, parent_id: parent.id, annotation: backupAnnotation(backupOf(options)) };
  try {
    return await api.createBranch(wanted);
  } catch (error) {
    const branch = error instanceof NeonUnreachable ? await branchNamed(api, options.name) : undefined;
    if (branch && isBackupOf(branch, backupOf(options))) return { branch, operations: [] };
    throw error;
  }
}

/** Gives a branch a name that no release asks for. @returns that name */
async function giveNameAway(api: NeonApi, { id, name }: NeonBranch): Promise<string> {
  const renamed = `${name}.${id}`;
  await settled(api, await api.updateBranch(id, { name: renamed }));
  return renamed;
}

function backupOf({ stackProject, stack, app, release, fingerprint }: BranchOptions): BackupOf {
  return { project: stackProject, stack, app, release, fingerprint };
}

/** What later steps are told of the branch. */
function recorded(branch: NeonBranch, { branch: parent }: Parent, options: BranchOptions): RecordedBackup {
  const { name: id, project, fingerprint } = options;
  return {
    ...{ id, location: branchLocation(project, id), fingerprint },
    createdAt: new Date(branch.created_at).toISOString(),
    // Neon doesn't say when a branch was complete; it shares its parent's data, so that is within seconds.
    completedAt: new Date(branch.created_at).toISOString(),
    branch: { id: branch.id, parent: parent.id, lsn: branch.parent_lsn },
  };
}
