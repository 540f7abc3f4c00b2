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

/** The report of a Job, which is one line of JSON in its log. `page.ts` makes a page of one or more reports. */
export interface Report extends ReportPart {
  readonly release: string | null;
  /** The time of the report, ISO 8601. */
  readonly at: string;
  readonly database: string;
  /** The backup that protected the run; null if there was none. Records of older versions name no kind: a snapshot. */
  readonly snapshot: { kind?: string | undefined; id: string; createdAt: string } | null;
  /** Notes that only people can give: `--note tested=staging`, `--note window="Sun 02:00"`. */
  readonly notes: Readonly<Record<string, string>>;
  /** The rows and bytes of the largest tables, by table; missing in records of older versions. */
  readonly tables?: Readonly<Record<string, TableSize>> | undefined;
  /** The milliseconds since the run began. */
  readonly elapsed?: number | undefined;
}
