import type { FindingClass } from "../settings/finding-classes";

/** `info` is told, but refused by no policy. */
export type Severity = "info" | "warning" | "error";

/** How to write it instead. */
export interface SafeWay {
  /** Text of each migration that takes this one's place, in order; none where no SQL does the same without the harm. */
  readonly migrations: readonly string[];
  readonly note?: string;
}

/** One thing that a migration does and that people should know before it is released. */
export interface Finding {
  /** What an acknowledgement names, unique within its migration: `drop-column User.email`. */
  readonly id: string;
  readonly rule: string;
  readonly classes: readonly FindingClass[];
  readonly severity: Severity;
  readonly migration: string;
  /** Of the migration's file. */
  readonly checksum: string;
  /** Index of the statement, where it is about one. */
  readonly statement?: number;
  /** In migration.sql, from 1. */
  readonly line: number;
  /** One sentence each. */
  readonly what: string;
  readonly who: string;
  readonly howLong: string;
  /** Why no later migration can undo it. */
  readonly irreversible?: string | undefined;
  readonly safe?: SafeWay;
}
