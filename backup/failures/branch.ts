import { Failure, UNTOUCHED } from "../../migrator/failures/failure";
import { commandLine } from "../../text/command-line";
import { shellWord } from "../../text/shell-word";

/** A failure to make a branch of Neon. All of them end the release before the migration. */
abstract class BranchFailure extends Failure {
  override readonly exit = 7;

  constructor(what: string, next: string, cause?: unknown) {
    super({ what, database: UNTOUCHED, next: `${next}, then: {rerun}` }, { cause });
  }
}

/** Neon doesn't know the API key. */
export class NeonKeyRefused extends BranchFailure {
  override readonly code = "neon-key";

  constructor(reason: string, cause?: unknown) {
    super(
      `Neon doesn't accept the API key: ${reason}.`,
      "put a valid key into the Secret that backup.branch.secret names (Neon's console, Settings, API keys)",
      cause,
    );
  }
}

/** The API key is valid, and may not do this. */
export class NeonRightMissing extends BranchFailure {
  override readonly code = "neon-rights";

  constructor(project: string, reason: string, cause?: unknown) {
    super(
      `The API key may not make branches in Neon's project ${project}: ${reason}.`,
      "put the key of a member of the project, or of its organization, into the Secret that backup.branch.secret names",
      cause,
    );
  }
}

/** Neon has no such project, or none that the key may see. */
export class NeonProjectMissing extends BranchFailure {
  override readonly code = "neon-project";

  constructor(project: string, reason: string, cause?: unknown) {
    super(
      `Neon has no project ${project} that this API key sees: ${reason}.`,
      "correct backup.branch.project (Neon's console, Settings, Project ID), or use a key of the project's organization",
      cause,
    );
  }
}

/** The project has as many branches as its plan allows. */
export class BranchLimitReached extends BranchFailure {
  override readonly code = "branch-limit";

  /** @param own the number of branches that are backups of this stack */
  constructor(project: string, stack: string, { reason, own }: { reason: string; own: number }, cause?: unknown) {
    super(
      `Neon's project ${project} has as many branches as its plan allows: ${reason}. ${own} of them are backups of this stack.`,
      `remove the old ones with ${commandLine("ops")} prune --stack ${shellWord(stack)} (by backup.keep), delete others in Neon's console, or choose a larger plan`,
      cause,
    );
  }
}

/** Neon's API can't be reached. */
export class NeonNotReached extends BranchFailure {
  override readonly code = "neon-unreachable";

  constructor(endpoint: string, reason: string, cause?: unknown) {
    super(
      `No connection to Neon's API at ${endpoint}: ${reason}. Whether it has begun a branch is unknown; the next try looks for it.`,
      "see that the pod may reach it, and that backup.branch.endpoint is right if it is set",
      cause,
    );
  }
}

/** Neon's API answered with an error of another kind. */
export class NeonFailed extends BranchFailure {
  override readonly code = "neon-failed";

  constructor(reason: string, cause?: unknown) {
    super(`An error of Neon's API ended the backup: ${reason}.`, "see to what it says", cause);
  }
}

/** Neon has not finished the branch. */
export class BranchBroken extends BranchFailure {
  override readonly code = "branch-broken";

  constructor(name: string, renamed: string, reason: string, cause?: unknown) {
    super(
      `Neon didn't finish the branch ${name}: ${reason}. It is named ${renamed} now, and nobody relies upon it.`,
      "see Neon's status page (https://neonstatus.com)",
      cause,
    );
  }
}

/** The branch was not made in time. */
export class BranchTooSlow extends BranchFailure {
  override readonly code = "branch-too-slow";

  constructor(timeout: string, last: string | undefined) {
    super(
      `The branch was not complete within ${timeout} (backup.timeout)${last === undefined ? "" : `; the last that Neon said is ${last}`}.`,
      "see which operations run in Neon's project, or raise backup.timeout",
    );
  }
}

/** The connection leads to another branch than the one that is backed up, or to none of this project. */
export class OtherBranch extends BranchFailure {
  override readonly code = "branch-of-other-database";

  constructor(evidence: string, next: string) {
    super(`The backup would be of another database than the one that is migrated: ${evidence}.`, next);
  }
}

/** Somebody else has a branch of this name. */
export class BranchNameTaken extends BranchFailure {
  override readonly code = "branch-name-taken";

  constructor(name: string, id: string) {
    super(
      `The branch ${name} (${id}) was not made by a release of this stack, so it is no backup of it.`,
      "rename that branch in Neon's console, or raise the setting release.attempt by one",
    );
  }
}

/** Postgres refused a query of the program, which reads the history and records the branch. */
export class BranchQueryRefused extends BranchFailure {
  override readonly code = "branch-query-refused";

  constructor(reason: string) {
    super(`Postgres refused what is read and recorded beside the branch: ${reason}.`, "see to what it says");
  }
}
