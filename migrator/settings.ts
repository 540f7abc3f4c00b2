import type { Runner } from "../review/facts";
import type { Acknowledgement } from "../review/gate";
import type { Level } from "../settings/checks";
import type { FindingClass } from "../settings/finding-classes";
import type { ConnectionPlace } from "./db/connection-place";
import type { Authentication } from "./db/url";

/** The verbs of the command line. */
export const VERBS = [
  ...[
    "preflight",
    "deploy",
    "run",
    "verify",
    "drift",
    "adopt",
    "compare",
    "status",
    "resolve",
    "baseline",
    "sql",
    "revert",
    "restored",
    "written",
    "wait",
  ],
] as const;
/** One of {@link VERBS}. */
export type Verb = (typeof VERBS)[number];

/** How `resolve` corrects the record of a migration; `diagnose` changes nothing. */
export type Resolution = "diagnose" | "applied" | "rolled-back";

/**
 * The settings with which preflight repeats the review: what the environment refuses, what was acknowledged, and who
 * migrates.
 */
export interface ReviewSettings {
  /** The classes of findings from `review.refuse`; if empty, nothing is refused. */
  readonly refuse: readonly FindingClass[];
  readonly acknowledgements: readonly Acknowledgement[];
  readonly runner: Runner;
}

/** What `drift` prints besides its log. */
export const DRIFT_FORMATS = ["text", "json", "sql"] as const;

/** The directions of the SQL that `drift` prints. */
export const DRIFT_DIRECTIONS = ["to-history", "to-database"] as const;

/** The kinds of backups, as `--backup-kind` names them. */
export const BACKUP_KINDS = ["snapshot", "dump", "branch"] as const;

/** The backup that protects a run. */
export interface ProtectingBackup {
  readonly kind: (typeof BACKUP_KINDS)[number];
  readonly id: string;
  readonly taken: BackupTimes | "gone";
  /** The greatest age with which pending migrations are applied. */
  readonly maxAge: number;
}

/** The times at which a backup was begun and at which it was complete. */
interface BackupTimes {
  readonly createdAt: Date;
  readonly completedAt: Date;
}

/** The host and port at which a database server is reached. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** The settings of a run. All durations are in milliseconds. */
export interface Settings {
  readonly verb: Verb;
  /** The program that migrates, with its arguments; empty for every verb but `run`. */
  readonly command: readonly string[];
  readonly commandTimeout: number;
  /** Further variables in which the command of `run` looks for the connection string. */
  readonly urlVariables: readonly string[];
  /** The migration that `resolve` corrects, and how; undefined for other verbs. */
  readonly resolution: { name: string; resolution: Resolution } | undefined;
  /** The last migration that the database already has; `baseline` needs it or `title`. */
  readonly through: string | undefined;
  /** The name of the migration that `adopt` or `baseline --write` makes, without its time; undefined for other verbs. */
  readonly title: string | undefined;
  readonly force: boolean;
  /** What `drift` prints, which direction its SQL has, and what it ignores as preflight does. With `sql`, every line of the log is a comment. */
  readonly drift: {
    readonly format: (typeof DRIFT_FORMATS)[number];
    readonly direction: (typeof DRIFT_DIRECTIONS)[number];
    /** The reasons for which the drift of objects is ignored, by the patterns of these objects. */
    readonly ignore: Readonly<Record<string, string>>;
  };
  /**
   * The file that `sql` runs, its name in messages, and the name of the hotfix that it becomes, if it does; undefined
   * for other verbs.
   */
  readonly sqlFile: { path: string; name: string; hotfix?: string | undefined } | undefined;
  /**
   * The migration that `revert` takes back, whether it writes the new one, whether there is a connection string, and
   * the command that writes it, where it is not this one with `--write`; undefined for other verbs.
   */
  readonly revert: { name: string; write: boolean; connects: boolean; command?: string } | undefined;
  readonly source: { directory: string } | { payload: string };
  readonly connection: ConnectionPlace;
  /** The server to connect to in place of the connection's own: a copy of its database, with the same roles. */
  readonly server: Endpoint | undefined;
  /** The database to connect to in place of the connection's own: a copy of it on the same server. */
  readonly database: string | undefined;
  /**
   * The file with what `restored` expects, or with the counters that `written` compares with; undefined: only what the
   * database itself has recorded.
   */
  readonly expected: string | undefined;
  readonly auth: Authentication;
  /** Parameters of the connection that its URL doesn't have. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The value of PGSSLROOTCERT: the file of the authorities where the connection string names none. */
  readonly rootCertificate: string | undefined;
  readonly json: boolean;
  /** True if errors and notices are logged with the server's whole text, which may contain values of rows. */
  readonly showValues: boolean;
  readonly rerun: string;
  /** The Pulumi stack that the run belongs to; undefined if it was started by hand. Commands in messages name it. */
  readonly stack: string | undefined;
  /** The command that runs a verb on the stack's database, where it is not the usual `ops`, as on the local cluster. */
  readonly opsCommand: string | undefined;
  /** The command that restores a backup of the stack, where it is not the usual `restore`. */
  readonly restoreCommand: string | undefined;
  readonly releaseId: string | undefined;
  /** The migrations that `wait` waits for; empty for every other verb. */
  readonly awaited: readonly string[];
  /** The longest time that `wait` waits. */
  readonly waitTimeout: number;
  readonly lockTimeout: number;
  readonly statementTimeout: number;
  readonly lockRetryTimeout: number;
  readonly runnerWait: number;
  readonly connectWait: number;
  readonly maxReplicationLag: number;
  readonly maxTransactionAge: number;
  /** The percentage of connections in use above which preflight reports a finding; default 80. */
  readonly maxConnectionsPercent: number;
  /** The percentage of a sequence's range in use above which preflight reports a finding; default 80. */
  readonly maxSequencePercent: number;
  /** The percentage of rows lost by a table above which verification reports a finding; default 5. */
  readonly maxRowLossPercent: number;
  /**
   * The bytes of WAL that an unread replication slot may hold back before preflight reports a finding; default 1 GiB.
   */
  readonly maxSlotWal: number;
  /** The free disk space in bytes, which Postgres can't report; default: unknown. */
  readonly diskFree: number | undefined;
  /** The levels of checks by name; a check that is missing here has its own default level. */
  readonly levels: Readonly<Record<string, Level>>;
  /** Notes for the report that only people can give, by the keys of `--note`. */
  readonly notes: Readonly<Record<string, string>>;
  readonly review: ReviewSettings;
  readonly allowDatabaseAhead: boolean;
  /** True before a rollout: contract migrations are left for after it. */
  readonly holdContract: boolean;
  /** The time that the new version serves after the rollout before its contract migrations are applied. */
  readonly soak: number;
  readonly afterRollout: boolean;
  /** True if `deploy` measures what each statement does, and logs it as the event `measured`. */
  readonly measure: boolean;
  /** The endpoints of the database that the snapshot is taken of; empty if that is unknown or not to be compared. */
  readonly snapshotEndpoints: readonly Endpoint[];
  readonly snapshot: ProtectingBackup | undefined;
}
