/**
 * What happens when a check has a finding: `fail` ends the Job, `warn` reports
 * the finding. With `off`, the check isn't run.
 */
export const LEVELS = ["fail", "warn", "off"] as const;
/** One of {@link LEVELS}. */
export type Level = (typeof LEVELS)[number];

interface CatalogueEntry {
  /** Whether the check runs before a release, or after its migrations. */
  readonly when: "preflight" | "verify";
  /** The level if the settings don't set one. */
  readonly level: Level;
  /** The condition that the check tests, as shown in the report and on the page of a release. */
  readonly title: string;
  /** The exact scope of the check, as shown in docs/migrator.md. */
  readonly detail: string;
}

/**
 * Every check of the migrator by its name, as in `migrations.checks` and in `--check NAME=LEVEL`. The order is that of
 * the report: the checks before a release, then those after its migrations.
 */
export const CHECKS = {
  server: {
    when: "preflight",
    level: "fail",
    title: "Server version, and that it is writable",
    detail: "The server has version 13 or later, and is neither a replica nor read-only.",
  },
  "same-database": {
    when: "preflight",
    level: "fail",
    title: "The snapshot is of the database that is migrated",
    detail:
      "The connection's host, address or what the server says of itself is the endpoint that RDS has for `database.identifier`; the ports agree too. Skipped without a snapshot, off with `database.endpointCheck: off`.",
  },
  tls: {
    when: "preflight",
    level: "warn",
    title: "Connection is encrypted and the server known",
    detail: "The connection is encrypted, and the server's certificate was verified.",
  },
  superuser: {
    when: "preflight",
    level: "warn",
    title: "The role is not a superuser",
    detail: "A superuser could do anything to every database of the server.",
  },
  permissions: {
    when: "preflight",
    level: "fail",
    title: "The role has the rights that the migrations need",
    detail:
      "The rights are read from the catalogs as Postgres reads them. What the SQL text alone does not tell is left to Postgres.",
  },
  history: {
    when: "preflight",
    level: "fail",
    title: "History of the database and folder agree",
    detail: "No migration is edited, missing or unfinished, and there are no tables without a history.",
  },
  order: {
    when: "preflight",
    level: "warn",
    title: "No migration is older than the newest applied one",
    detail: "Migrations are compared by name, as Prisma does.",
  },
  transactions: {
    when: "preflight",
    level: "fail",
    title: "Each BEGIN of the pending migrations has its end",
    detail: "No `BEGIN` is without an end, no `COMMIT` or `ROLLBACK` without a `BEGIN`.",
  },
  statements: {
    when: "preflight",
    level: "fail",
    title: "Every statement of the pending migrations can run here",
    detail:
      "The server can read every pending statement and has the extensions that they make. None of them drops or empties what the release is recorded in, leaves a prepared transaction, or waits for rows of `COPY … FROM STDIN`.",
  },
  directives: {
    when: "preflight",
    level: "fail",
    title: "Directives of the pending migrations can be followed",
    detail: "`-- release:` comments are written right, and batches can do what their statements do.",
  },
  review: {
    when: "preflight",
    level: "fail",
    title: "No pending migration does what this environment refuses",
    detail:
      "No pending migration has a finding that `--refuse CLASS` names and that no `--acknowledge JSON` accepts. The review knows which migrations the database has; squawk is not run.",
  },
  hotfix: {
    when: "preflight",
    level: "fail",
    title: "Each pending hotfix is there as a whole, or not at all",
    detail:
      "What the statements of a migration marked `-- release: hotfix` make on a scratch database is compared with the live objects. Where there can be no scratch database, and there is an object of that name, it can't be told.",
  },
  drift: {
    when: "preflight",
    level: "fail",
    title: "The live schema is what the history makes (drift)",
    detail:
      "The live schema is compared with what the last release recorded on the same major version, or, if nothing is recorded, with what the history makes on a scratch database. The result is unknown if the role may not create one, or if a statement of the history could reach out of it (roles, DO, CALL, functions with effects). Additional extensions, partitions that a job makes, tables of other tools, and what a pending hotfix makes, are named, and are no drift.",
  },
  runner: {
    when: "preflight",
    level: "warn",
    title: "No other migrator is at work",
    detail: "No other session holds Prisma's advisory lock.",
  },
  locks: {
    when: "preflight",
    level: "warn",
    title: "No lock is held on the tables that the migrations touch",
    detail: "No transaction that is older than 2 s holds a lock on one of them.",
  },
  "old-transactions": {
    when: "preflight",
    level: "warn",
    title: "No transaction is older than the limit",
    detail: "No transaction is older than `--max-transaction-age`.",
  },
  "prepared-transactions": {
    when: "preflight",
    level: "warn",
    title: "No prepared transaction is left over",
    detail: "A prepared transaction holds its locks until somebody ends it.",
  },
  vacuum: {
    when: "preflight",
    level: "warn",
    title: "No wrap-around vacuum runs on a touched table",
    detail: "Postgres does not cancel such a vacuum when another session waits for its lock.",
  },
  connections: {
    when: "preflight",
    level: "warn",
    title: "Connections are left",
    detail: "At most `--max-connections-percent` of them are in use.",
  },
  replication: {
    when: "preflight",
    level: "warn",
    title: "Replicas keep up, and no slot holds back WAL",
    detail:
      "Replicas are at most `--max-replication-lag` behind, and no unread slot holds back more than `--max-slot-wal`.",
  },
  disk: {
    when: "preflight",
    level: "warn",
    title: "Disk head-room for tables that are rewritten",
    detail: "The tables and indexes that are written anew fit into `--disk-free`.",
  },
  "invalid-indexes": {
    when: "preflight",
    level: "warn",
    title: "No invalid index is left over",
    detail: "A `CREATE INDEX CONCURRENTLY` that failed leaves one.",
  },
  sequences: {
    when: "preflight",
    level: "warn",
    title: "No sequence is near its end",
    detail: "No sequence is used up beyond `--max-sequence-percent`.",
  },
  "sequences-behind": {
    when: "preflight",
    level: "warn",
    title: "No sequence is about to give a value that is taken",
    detail: "None of a sequence's next 1,000 values, in its direction and steps, is in its column already.",
  },
  finished: {
    when: "verify",
    level: "fail",
    title: "Every migration is finished",
    detail: "Every migration of the folder is applied.",
  },
  "schema-complete": {
    when: "verify",
    level: "fail",
    title: "The schema has what the migrations make",
    detail:
      "Tables, columns, indexes and constraints are as the migrations leave them. What a `DO`, a `CASCADE` or a function may have taken back is unknown.",
  },
  "valid-indexes": {
    when: "verify",
    level: "fail",
    title: "Indexes are valid",
    detail: "No index of the database is invalid.",
  },
  constraints: {
    when: "verify",
    level: "warn",
    title: "Constraints are validated",
    detail: "No constraint is NOT VALID. Rows that a foreign key does not find are counted.",
  },
  rows: {
    when: "verify",
    level: "fail",
    title: "No table lost rows that no migration deletes",
    detail:
      "A touched table lost at most `--max-row-loss-percent` of its rows. A finding is only a warning if a migration deletes rows. Rows are counted below 100,000 and estimated above.",
  },
  "sequences-ahead": {
    when: "verify",
    level: "fail",
    title: "Sequences are ahead of their columns",
    detail:
      "The same as `sequences-behind`, after the migrations. A finding is only a warning if the taken value is further ahead, or if no preflight looked before.",
  },
  analyzed: {
    when: "verify",
    level: "warn",
    title: "The planner knows the changed tables (ANALYZE)",
    detail: "The tables that the migrations touched have been analyzed; `deploy` does it.",
  },
  slowest: {
    when: "verify",
    level: "warn",
    title: "Slowest statements so far (pg_stat_statements)",
    detail: "The statements are listed in the report and never end a release.",
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;

type Catalogue = typeof CHECKS;
/** The name of a check. */
export type CheckName = keyof Catalogue;
/** The name of a check that runs before a release, or of one that runs after its migrations. */
export type CheckNameOf<When extends CatalogueEntry["when"]> = {
  [Name in CheckName]: Catalogue[Name]["when"] extends When ? Name : never;
}[CheckName];

/** The names of all checks. */
export const checkNames: readonly string[] = Object.keys(CHECKS);
