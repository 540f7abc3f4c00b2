import { Failure, UNTOUCHED } from "./failure";

/** An applied migration has another text in the folder now. */
export class EditedMigration extends Failure {
  override readonly code = "edited-migration";
  override readonly exit = 4;

  constructor(names: readonly string[], evidence: readonly string[]) {
    super({
      what: `${list(names)} changed after being applied to this database.`,
      detail: evidence,
      database: UNTOUCHED,
      next: "restore the file as it was applied (git log -p -- the file) and put the change into a new migration, then: {rerun}",
    });
  }
}

/** The database is ahead of the folder: it holds migrations that the release doesn't know. */
export class MissingMigration extends Failure {
  override readonly code = "missing-migration";
  override readonly exit = 4;

  /** @param squash a migration of the folder that looks like the squashed form of them */
  constructor(names: readonly string[], squash?: string) {
    super({
      what: squash
        ? `The database has ${list(names)}, which this release does not. What ${squash} makes is there already: it looks like their squashed form.`
        : `The database has ${list(names)}, which this release does not: it is ahead of the migrations folder.`,
      database: UNTOUCHED,
      next: squash
        ? `{migrator} resolve --applied ${squash} --migrations DIR (records that it stands for them), then: {rerun}`
        : "merge the missing migrations, or, if this release takes the app back on purpose, say so with --allow-database-ahead (setting migrations.allowDatabaseAhead), then: {rerun}",
    });
  }
}

/** A migration that failed under another tool (or under an older plan) blocks the history, as Prisma's P3009. */
export class FailedMigration extends Failure {
  override readonly code = "failed-migration";
  override readonly exit = 4;

  constructor(name: string, since: string, detail: readonly string[]) {
    super({
      what: `${name} was started at ${since} and neither finished nor rolled back; how much of it is applied must be settled first.`,
      detail,
      database: `${UNTOUCHED} The row of ${name} in _prisma_migrations stays unfinished.`,
      next: `{migrator} resolve --diagnose ${name} --migrations DIR`,
    });
  }
}

/** The history or the records are in the hands of another role, whose triggers or functions would run with this role's rights. */
export class ForeignRecords extends Failure {
  override readonly code = "foreign-records";
  override readonly exit = 4;

  constructor(name: string, evidence: readonly string[], next: string) {
    super({
      what: `${name} is not a table that only this role decides about, so it is neither read nor written.`,
      detail: evidence,
      database: UNTOUCHED,
      next: `${next}; then: {rerun}`,
    });
  }
}

/** One release can't do both: take something away after its rollout, and change something else after that. */
export class OrdinaryAfterContract extends Failure {
  override readonly code = "ordinary-after-contract";
  override readonly exit = 4;

  constructor(ordinary: string, contract: string) {
    super({
      what: `${ordinary} follows ${contract}, which waits for the rollout (release: contract).`,
      database: UNTOUCHED,
      next: `release up to ${contract} first, and ${ordinary} with the release after it`,
    });
  }
}

/** Tables, but no history: Prisma's P3005. */
export class NoHistory extends Failure {
  override readonly code = "no-history";
  override readonly exit = 4;

  constructor(schema: string, found: readonly string[]) {
    super({
      what: `The schema "${schema}" is not empty (${found.join(", ")}) and has no migration history.`,
      database: UNTOUCHED,
      next: "{migrator} baseline --through MIGRATION (the last one that this database already has)",
    });
  }
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
