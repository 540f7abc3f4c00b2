import type { TableSize } from "../text/table-size";

/** One thing that a check found. */
export interface ReportedFinding {
  /** Name of the check, as in `--check NAME=warn`. */
  readonly check: string;
  /** One sentence. */
  readonly what: string;
  readonly evidence: readonly string[];
  /** The one next command or action. */
  readonly next: string;
}

/** What became of one check. */
export interface ReportedResult {
  readonly name: string;
  readonly title: string;
  readonly outcome: "ok" | "warn" | "fail" | "off" | "unknown";
  /** What is known now: "12 of 100 connections in use". */
  readonly facts: string;
  readonly findings: readonly ReportedFinding[];
}

/** What one of the release's looks at the database found. */
export interface ReportPart {
  readonly stage: "before" | "after";
  readonly results: readonly ReportedResult[];
  /** Names of the migrations that are not applied. */
  readonly pending: readonly string[];
  /** Tables that the migrations touch, and how. */
  readonly scope: readonly string[];
}

/** What a Job reports, as one line of JSON in its log; `page.ts` makes a page of one or more of them. */
export interface Report extends ReportPart {
  readonly release: string | null;
  /** ISO 8601. */
  readonly at: string;
  readonly database: string;
  readonly snapshot: { id: string; createdAt: string } | null;
  /** What only people know: `--note tested=staging`, `--note window="Sun 02:00"`. */
  readonly notes: Readonly<Record<string, string>>;
  /** Rows and bytes by table, the largest ones; missing in records of older versions. */
  readonly tables?: Readonly<Record<string, TableSize>> | undefined;
  /** Milliseconds since the run began. */
  readonly elapsed?: number | undefined;
}
