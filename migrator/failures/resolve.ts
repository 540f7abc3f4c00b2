import { Failure, otherVerb, UNTOUCHED } from "./failure";

/** The given name is not a migration of the folder. */
export class UnknownMigration extends Failure {
  override readonly code = "unknown-migration";
  override readonly exit = 2;

  constructor(name: string) {
    super({
      what: `There is no migration "${name}" in the folder.`,
      database: UNTOUCHED,
      next: `${otherVerb("status")} (lists the names)`,
    });
  }
}

/** The record of the migration needs no such correction. */
export class NothingToResolve extends Failure {
  override readonly code = "nothing-to-resolve";
  override readonly exit = 4;

  constructor(name: string, reason: string) {
    super({ what: `${name} needs no such resolution: ${reason}.`, database: UNTOUCHED, next: otherVerb("status") });
  }
}

/**
 * The folder of the migration is gone, so it can't be recorded as applied: its checksum and its statements aren't
 * known.
 */
export class FolderGone extends Failure {
  override readonly code = "folder-gone";
  override readonly exit = 4;

  constructor(name: string) {
    super({
      what: `${name} is not in the folder, so that it can't be recorded as applied: its statements aren't known.`,
      database: `${UNTOUCHED} The row of ${name} in _prisma_migrations stays unfinished.`,
      next: `restore its folder from version control and run this again; or, if nothing of it is in the database: ${otherVerb(`resolve --rolled-back ${name}`)}`,
    });
  }
}

/** The resolution contradicts what the catalog shows. */
export class ContradictsCatalog extends Failure {
  override readonly code = "contradicts-catalog";
  override readonly exit = 4;

  constructor(name: string, resolution: string, evidence: readonly string[]) {
    const shown = evidence.slice(0, 12);
    super({
      what: `"${resolution}" for ${name} is not what the database looks like.`,
      detail: [...shown, ...(evidence.length > shown.length ? [`  and ${evidence.length - shown.length} more`] : [])],
      database: UNTOUCHED,
      next: "bring the database to where it should be, or add --force if you know better, and run the same command again",
    });
  }
}

/** The database already has a history, and `baseline` is for a database without one. */
export class AlreadyHasHistory extends Failure {
  override readonly code = "already-has-history";
  override readonly exit = 4;

  /** @param squash the migration of the folder that looks like the squashed form of the applied ones, if there is one */
  constructor(rows: number, squash?: string) {
    super({
      what: `The database has a history already (${rows} rows in _prisma_migrations); baseline is for one without.`,
      database: UNTOUCHED,
      next:
        squash === undefined
          ? `${otherVerb("status")}; for a single migration: ${otherVerb("resolve --applied NAME")}`
          : `${otherVerb(`resolve --applied ${squash}`)} (it is the squashed form of migrations that the folder no longer has, and is recorded in their place)`,
    });
  }
}

/** `compare` needs the statistics of a release, and none are recorded or readable. */
export class NothingRecorded extends Failure {
  override readonly code = "nothing-recorded";
  override readonly exit = 4;

  constructor() {
    super({
      what: "Nothing is recorded to compare with: no release of this program has ended on this database yet, or its records can't be read.",
      database: UNTOUCHED,
      next: "compare again after the next release",
    });
  }
}
