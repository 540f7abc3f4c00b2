import type { Runner } from "../review/facts";
import type { Acknowledgement } from "../review/gate";
import type { Level } from "../settings/checks";
import type { FindingClass } from "../settings/finding-classes";

/** The verbs of the command line. */
export const VERBS = ["preflight", "deploy", "run", "verify", "compare", "status", "resolve", "baseline"] as const;
/** One of {@link VERBS}. */
export type Verb = (typeof VERBS)[number];

/** How `resolve` settles a migration; `diagnose` only looks. */
export type Resolution = "diagnose" | "applied" | "rolled-back";

/** What the environment refuses of a release, and who migrates: with these, preflight repeats the review. */
export interface ReviewSettings {
  /** Classes of findings, from `review.refuse`; none: nothing is refused. */
  readonly refuse: readonly FindingClass[];
  readonly acknowledgements: readonly Acknowledgement[];
  readonly runner: Runner;
}

/** When a snapshot was begun, and when it became available. */
export interface SnapshotTimes {
  readonly createdAt: Date;
  readonly completedAt: Date;
}

/** What a run was asked to do; durations in milliseconds. */
export interface Settings {
  readonly verb: Verb;
  /** Of `run`: the program that migrates, with its arguments. */
  readonly command: readonly string[];
  readonly commandTimeout: number;
  /** Of `run`: further variables in which the command looks for the connection string. */
  readonly urlVariables: readonly string[];
  /** Of `resolve`: which migration, and how. */
  readonly resolution: { name: string; resolution: Resolution } | undefined;
  /** Of `baseline`: the last migration that the database already has. */
  readonly through: string | undefined;
  readonly force: boolean;
  readonly source: { directory: string } | { payload: string };
  readonly url: string;
  readonly json: boolean;
  /** Errors and notices are shown with the server's whole text, which may hold values of rows. */
  readonly showValues: boolean;
  readonly rerun: string;
  readonly releaseId: string | undefined;
  readonly lockTimeout: number;
  readonly statementTimeout: number;
  readonly lockRetryTimeout: number;
  readonly runnerWait: number;
  readonly connectWait: number;
  readonly maxReplicationLag: number;
  readonly maxTransactionAge: number;
  /** Percent. */
  readonly maxConnectionsPercent: number;
  /** Percent. */
  readonly maxSequencePercent: number;
  /** Percent. */
  readonly maxRowLossPercent: number;
  /** Bytes. */
  readonly maxSlotWal: number;
  /** Bytes. */
  readonly diskFree: number | undefined;
  /** By name of the check; others have the level of the check itself. */
  readonly levels: Readonly<Record<string, Level>>;
  /** For the report: what only people know. */
  readonly notes: Readonly<Record<string, string>>;
  readonly review: ReviewSettings;
  readonly allowDatabaseAhead: boolean;
  /** Before a rollout: contract migrations are left for after it. */
  readonly holdContract: boolean;
  /** After a rollout: how long the new version has served before its contract migrations are applied. */
  readonly soak: number;
  readonly afterRollout: boolean;
  readonly snapshot: { id: string; taken: SnapshotTimes | "gone"; maxAge: number } | undefined;
}
