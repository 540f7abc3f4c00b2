import { Failure } from "./failure";

const ONLY_READ = "only read; nothing was changed.";

/** The database did not get the migrations of this release in time. */
export class NotMigrated extends Failure {
  override readonly code = "not-migrated";
  override readonly exit = 10;

  /** @param missing the migrations that the database lacks, oldest first */
  constructor(where: string, missing: readonly string[], waited: string) {
    super({
      what: `The ${where} lacks ${missing.length === 1 ? "a migration" : `${missing.length} migrations`} of this release after ${waited}.`,
      detail: missing.map((name) => `  ${name}`),
      database: ONLY_READ,
      next: "let the release migrate this database: raise release.attempt in the settings of the stack, then: {rerun}",
    });
  }
}

/** The role of the app may not read which migrations are applied. */
export class HistoryUnreadable extends Failure {
  override readonly code = "history-unreadable";
  override readonly exit = 3;

  /** @param table the history table as SQL writes it */
  constructor(
    reason: string,
    { schema, table, role }: { schema: string; table: string; role: string },
    cause: unknown,
  ) {
    super(
      {
        what: `The role of the app may not read which migrations are applied: ${reason}.`,
        database: ONLY_READ,
        next: `as the migration's role: GRANT USAGE ON SCHEMA ${schema} TO ${role}; GRANT SELECT ON ${table} TO ${role}; the pod then asks again by itself`,
      },
      { cause },
    );
  }
}
