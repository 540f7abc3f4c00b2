import { Failure, otherVerb, UNTOUCHED } from "./failure";

/** The text of a migration was changed in the folder after the migration was applied. */
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

/** The database is ahead of the folder: it has migrations that the release does not have. */
export class MissingMigration extends Failure {
  override readonly code = "missing-migration";
  override readonly exit = 4;

  /**
   * @param squash the migration of the folder that looks like the squashed form of the missing ones
   * @param hotfixes the lines about those of them that are hotfixes; default: none is
   */
  constructor(names: readonly string[], squash?: string, hotfixes: readonly string[] = []) {
    super({
      what: squash
        ? `The database has ${list(names)}, which this release does not. What ${squash} makes is there already: it looks like their squashed form.`
        : `The database has ${list(names)}, which this release does not: it is ahead of the migrations folder.`,
      detail: hotfixes,
      database: UNTOUCHED,
      next: squash
        ? `${otherVerb(`resolve --applied ${squash}`)} (records that it stands for them), then: {rerun}`
        : `${MissingMigration.remedy(hotfixes.length === names.length)}, then: {rerun}`,
    });
  }

  /**
   * Returns what a person does about migrations that the folder lacks.
   * @param onlyHotfixes true if all of them are hotfixes, whose lines name the commands that write their folders
   */
  static remedy(onlyHotfixes: boolean): string {
    return onlyHotfixes
      ? "merge the pull request of the hotfix; or, with the file that was run, write its folder by the command above"
      : "merge the missing migrations, or raise migrations.until if it holds them back; or, if this release takes the app back on purpose, say so with --allow-database-ahead (setting migrations.allowDatabaseAhead)";
  }
}

/**
 * A migration that failed under another tool (or under an older plan) is unfinished and blocks the history. Prisma
 * reports this as P3009.
 */
export class FailedMigration extends Failure {
  override readonly code = "failed-migration";
  override readonly exit = 4;

  constructor(name: string, since: string, detail: readonly string[]) {
    super({
      what: `${name} was started at ${since} and neither finished nor rolled back; how much of it is applied must be settled first.`,
      detail,
      database: `${UNTOUCHED} The row of ${name} in _prisma_migrations stays unfinished.`,
      next: otherVerb(`resolve --diagnose ${name}`),
    });
  }
}

/** Another role controls the history or the records. Its triggers or functions would run with this role's rights. */
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

/**
 * A pending migration follows a contract migration. One release can't take something away after its rollout and then
 * make another change.
 */
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

/** The schema has tables but no history. Prisma reports this as P3005. */
export class NoHistory extends Failure {
  override readonly code = "no-history";
  override readonly exit = 4;

  /** @param elsewhere the sentence that names another schema that has a history */
  constructor(schema: string, found: readonly string[], elsewhere?: string) {
    super({
      what: `The schema "${schema}" is not empty (${found.join(", ")}) and has no migration history.`,
      ...(elsewhere !== undefined && { detail: [elsewhere] }),
      database: UNTOUCHED,
      next: `${otherVerb("baseline --through MIGRATION")} (the last one that this database already has); without migrations for it: ${otherVerb("baseline --write --name init")}`,
    });
  }
}

/** A migration ran but can't be recorded, mostly because it changed the tables in which that is done. */
export class NotRecorded extends Failure {
  override readonly code = "not-recorded";
  override readonly exit = 5;

  /**
   * @param work the subject of the sentence, such as `Migration 20240131120000_add_index`, and its file
   * @param reasons what statements of the migration do to those tables, as far as their text shows: `drops … in line 2`
   * @param culprits the statements that did it or may have done it, with the lines that show them
   */
  constructor(
    { title, file }: { title: string; file: string },
    error: { code?: string; message: string },
    reasons: readonly string[],
    culprits: readonly { line: number; shown: string }[],
    database: string,
  ) {
    const lines = culprits.map(({ line }) => line).join(", ");
    // The guard of the history's rows (bookkeeping.ts) divides by zero. That message would not help a person.
    const said = error.code === "22012" ? undefined : `${error.message} (SQLSTATE ${error.code})`;
    const told = reasons.length > 0 ? `it ${reasons.join("; it ")}` : (said ?? "it changed rows of _prisma_migrations");
    super(
      {
        what: `${title} ran, but can't be recorded: ${told}.`,
        detail: [
          ...(said !== undefined && reasons.length > 0 ? [`Postgres: ${said}.`] : []),
          ...culprits.flatMap(({ shown }) => shown.split("\n")),
        ],
        database,
        next:
          culprits.length > 0
            ? `take what keeps it from being recorded out of ${file} (line ${lines}), then: {rerun}`
            : error.code === "42501"
              ? "grant the role what is missing, then: {rerun}"
              : "see to what it says, then: {rerun}",
      },
      { cause: error },
    );
  }
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
