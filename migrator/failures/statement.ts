import { Failure, UNTOUCHED } from "./failure";

/** A statement of a migration failed. */
export class StatementFailed extends Failure {
  override readonly code = "statement-failed";
  override readonly exit = 5;

  /** @param title the subject of the sentence, such as `Migration 20240131120000_add_index` */
  constructor(title: string, evidence: string, database: string, next: string, cause?: unknown) {
    super({ what: `${title} failed.`, detail: evidence, database, next }, { cause });
  }
}

/** A statement ran into statement_timeout. */
export class StatementTooSlow extends Failure {
  override readonly code = "statement-timeout";
  override readonly exit = 5;

  /** @param title the subject of the sentence, such as `Migration 20240131120000_add_index` */
  constructor(title: string, limit: string, evidence: string, database: string, cause?: unknown) {
    super(
      {
        what: `${title} was cancelled: a statement ran longer than statementTimeout allows (${limit}).`,
        detail: evidence,
        database,
        next: "make the statement shorter or raise migrations.statementTimeout, then: {rerun}",
      },
      { cause },
    );
  }
}

/** Other sessions held a lock for longer than lockRetryTimeout, through all attempts. */
export class LockNotObtained extends Failure {
  override readonly code = "lock-not-obtained";
  override readonly exit = 6;

  /** @param title the subject of the sentence, such as `Migration 20240131120000_add_index` */
  constructor(title: string, attempts: number, waited: string, evidence: string, database: string, cause?: unknown) {
    super(
      {
        what: `${title} got no lock in ${attempts} attempts within ${waited}.`,
        detail: evidence,
        database,
        next: "end the session that holds the lock or wait for a quieter time, then: {rerun}",
      },
      { cause },
    );
  }
}

/** Another migrator held Prisma's advisory lock for the whole waiting time. */
export class AnotherRunner extends Failure {
  override readonly code = "another-runner";
  override readonly exit = 6;

  constructor(waited: string, holder: string) {
    super({
      what: `Another migrator has been working on this database for all of ${waited}: ${holder}.`,
      database: "this run changed nothing; the other one may be changing it now.",
      next: "wait for the other run to end (or end its session), then: {rerun}",
    });
  }
}

/** Why Kubernetes sends SIGTERM to the process of a pod. */
const WHY_SIGTERM = "its pod was evicted, preempted or deleted, or its deadline has passed";

/** The run was stopped by SIGTERM or SIGINT. */
export class Stopped extends Failure {
  override readonly code = "stopped";
  override readonly exit: number;

  constructor(signal: "SIGTERM" | "SIGINT", database: string) {
    const what = signal === "SIGTERM" ? `Stopped by SIGTERM: ${WHY_SIGTERM}.` : `Stopped by ${signal}.`;
    super({ what, database, next: "{rerun}" });
    this.exit = signal === "SIGTERM" ? 143 : 130;
  }
}

/**
 * Postgres refused one of this program's own queries around the migrations, such as reading the history, counting rows
 * or writing the records.
 */
export class OwnWorkRefused extends Failure {
  override readonly code = "bookkeeping-refused";
  override readonly exit = 5;

  /** @param database the state of the database; default: it is as the log says */
  constructor(
    error: { code?: string; message: string; detail?: string; hint?: string },
    database = "what the log calls applied is applied and stays; the next run goes on from what is there.",
  ) {
    const lines = [error.detail && `DETAIL: ${error.detail}`, error.hint && `HINT: ${error.hint}`];
    super(
      {
        what: `Postgres refused what the migrator itself asked for: ${error.message} (SQLSTATE ${error.code}).`,
        detail: lines.filter((line) => line !== undefined),
        database,
        next:
          error.code === "42501"
            ? "grant the role what is missing, then: {rerun}"
            : "see to what it says, then: {rerun}",
      },
      { cause: error },
    );
  }
}

/** A migration needs this program's own schema, and the role has no right to it. */
export class NoRecords extends Failure {
  override readonly code = "no-records";
  override readonly exit = 4;

  constructor(migration: string, reason: string, user: string) {
    super({
      what: `Migration ${migration} can't be one transaction, and its progress can't be recorded: ${reason}.`,
      database: `nothing of ${migration} was run. Migrations before it are applied.`,
      next: `as the database's owner: CREATE SCHEMA _release AUTHORIZATION "${user}"; then: {rerun}`,
    });
  }
}

/** A migration that runs in steps was edited in statements that are already applied. */
export class ChangedAfterStart extends Failure {
  override readonly code = "changed-after-start";
  override readonly exit = 4;

  constructor(migration: string, done: number) {
    super({
      what: `${migration} was edited in its first ${done} statements, which an earlier run has already applied.`,
      database: `nothing was changed by this run; ${done} statements of ${migration} are applied.`,
      next: `restore the first ${done} statements of ${migration}/migration.sql as they were, then: {rerun}`,
    });
  }
}

/** The file begins a transaction and doesn't end it. */
export class UnclosedTransaction extends Failure {
  override readonly code = "unclosed-transaction";
  override readonly exit = 5;

  constructor(migration: string, problem: string, remedy: string, evidence: string) {
    super({
      what: `Migration ${migration} can't be run as it is meant: ${problem}.`,
      detail: evidence,
      database: `nothing of ${migration} was run. Migrations before it are applied.`,
      next: `${remedy} in ${migration}/migration.sql, then: {rerun}`,
    });
  }
}

/** A directive in a comment of the migration can't be followed. */
export class UnfollowedDirective extends Failure {
  override readonly code = "bad-directive";
  override readonly exit = 5;

  /**
   * @param work the subject of the sentence, such as `Migration 20240131120000_add_index`, and its file
   * @param database the state of the database; default: nothing was changed
   */
  constructor(
    { title, file }: { title: string; file: string },
    problem: string,
    evidence: string,
    database: string = UNTOUCHED,
  ) {
    super({
      what: `${title} ${problem}.`,
      detail: evidence,
      database,
      next: `correct the directive in ${file}, then: {rerun}`,
    });
  }
}
