import type { TableSize } from "../text/table-size";

/** One finding of a check. */
export interface ReportedFinding {
  /** The name of the check, as in `--check NAME=warn`. */
  readonly check: string;
  /** What was found, in one sentence. */
  readonly what: string;
  readonly evidence: readonly string[];
  /** The one next command or action. */
  readonly next: string;
}

/** The result of one check. */
export interface ReportedResult {
  readonly name: string;
  readonly title: string;
  readonly outcome: "ok" | "warn" | "fail" | "off" | "unknown";
  /** What is known now, such as "12 of 100 connections in use". */
  readonly facts: string;
  readonly findings: readonly ReportedFinding[];
}

/** The results of the checks before or after the migrations. */
export interface ReportPart {
  readonly stage: "before" | "after";
  readonly results: readonly ReportedResult[];
  /** The names of the migrations that are not applied. */
  readonly pending: readonly string[];
  /** The tables that the migrations touch, and how. */
  readonly scope: readonly string[];
}

/** A dump or a branch, as its Job records it in the database for the migration and the way back. */
export interface RecordedBackup {
  /** The name of the dump, with folders and without an ending, or of the branch. */
  readonly id: string;
  /** Where it is: `s3://bucket/…`, `pvc://claim/…` or `neon://project/…`. */
  readonly location: string;
  /** The times at which it was begun and at which it was complete and checked, ISO 8601. */
  readonly createdAt: string;
  readonly completedAt: string;
  /** The sha-256 of a dump's file. */
  readonly checksum?: string;
  /** A branch's id, the branch that it was made of, and the place in that one's log whose data it has. */
  readonly branch?: { readonly id: string; readonly parent: string; readonly lsn: string | undefined };
  /** The sha-256 of the migrations that it was taken before. */
  readonly fingerprint: string;
}

/** The report of a Job, which is one line of JSON in its log. `page.ts` makes a page of one or more reports. */
export interface Report extends ReportPart {
  readonly release: string | null;
  /** The time of the report, ISO 8601. */
  readonly at: string;
  readonly database: string;
  /** The backup that protected the run; null if there was none. Records of older versions name no kind: a snapshot. */
  readonly snapshot: {
    kind?: string | undefined;
    id: string;
    createdAt: string;
    /** A dump and a branch also have a place and the time at which they were complete; a dump has its file's sha-256. */
    location?: string | undefined;
    completedAt?: string | undefined;
    checksum?: string | undefined;
  } | null;
  /** Notes that only people can give: `--note tested=staging`, `--note window="Sun 02:00"`. */
  readonly notes: Readonly<Record<string, string>>;
  /** The rows and bytes of the largest tables, by table; missing in records of older versions. */
  readonly tables?: Readonly<Record<string, TableSize>> | undefined;
  /** The milliseconds since the run began. */
  readonly elapsed?: number | undefined;
}
