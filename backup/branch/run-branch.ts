import { readTarget } from "../../migrator/cli/read-target";
import { reportFailure } from "../../migrator/cli/report-failure";
import { OLD_VERSION_SERVES } from "../../migrator/failures/failure";
import type { Log } from "../../migrator/log";
import { NEON_KEY_VARIABLE } from "../../settings/neon";
import { BranchLimitReached, BranchTooSlow } from "../failures/branch";
import { NeonApi } from "../neon/api";
import { backupBranches } from "../neon/branches";
import { NeonError } from "../neon/error";
import { neonFailure } from "../neon/failure";
import { watchEnd } from "../work-end";
import { type BranchOptions, readOptions } from "./options";
import { takeBranch } from "./take-branch";

/**
 * Makes a branch of Neon before the migrations of a release, as the arguments and the environment say.
 * @returns the exit status
 */
export async function runBranch(args: readonly string[], environment: NodeJS.ProcessEnv, log: Log): Promise<number> {
  const migrator = (verb: string) => `npm run migrator -- ${verb}`;
  const commands = { rerun: "run the same command again", app: OLD_VERSION_SERVES, migrator };
  try {
    log.hide(environment[NEON_KEY_VARIABLE]?.trim() ?? "");
    const options = readOptions(args, environment);
    await withinTime(options, log);
    log.event("branch.finished", "The branch is complete; the migration may start.");
    return 0;
  } catch (error) {
    return reportFailure(error, log, commands);
  }
}

/** Makes the branch, and ends with the reason for it by SIGTERM or when the time is over. */
async function withinTime(options: BranchOptions, log: Log): Promise<void> {
  const { endpoint, key, project, timeout } = options;
  let last: string | undefined;
  const onWait = (reason: string) => {
    if (reason !== last) log.event("branch.waiting", `Neon: ${reason}; trying again for ${timeout.text}.`);
    last = reason;
  };
  const ended = watchEnd(timeout.milliseconds, () => new BranchTooSlow(timeout.text, last));
  const api = new NeonApi({ endpoint, key, project, signal: ended.signal, onWait });
  try {
    await takeBranch({ options, target: readTarget(options, log), api, log });
  } catch (error) {
    // What the end of the work itself broke says nothing of its own.
    throw ended.signal.aborted ? (ended.signal.reason as Error) : await asFailure(error, api, options);
  } finally {
    ended.release();
  }
}

/** Returns the failure that stands for an error of Neon's API; any other error as it is. */
async function asFailure(error: unknown, api: NeonApi, options: BranchOptions): Promise<unknown> {
  const { project, stack } = options;
  if (error instanceof NeonError && error.isBranchLimit) {
    const known = { reason: error.reason, own: await backupsOf(api, options) };
    return new BranchLimitReached(project, stack, known, error);
  }
  return neonFailure(error, project);
}

/** Counts the backups of this stack in the project, for a message. */
async function backupsOf(api: NeonApi, { stackProject, stack }: BranchOptions): Promise<number> {
  try {
    return (await backupBranches(api, { project: stackProject, stack })).length;
  } catch {
    return 0;
  }
}
