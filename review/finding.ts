import type { FindingClass } from "../settings/finding-classes";

/** The severity of a finding. A finding of severity `info` is shown, but no policy refuses it. */
export type Severity = "info" | "warning" | "error";

/** A proposal that does the same without the harm. */
export interface SafeWay {
  /** The texts of the migrations that replace this one, in order. Empty: no SQL does the same without the harm. */
  readonly migrations: readonly string[];
  readonly note?: string;
}

/** One effect of a migration that people should know before it is released. */
export interface Finding {
  /** The id that an acknowledgement names, such as `drop-column User.email`. It is unique within its migration. */
  readonly id: string;
  readonly rule: string;
  readonly classes: readonly FindingClass[];
  readonly severity: Severity;
  /** The name of the migration. For a finding about the Prisma schema: the path of its file. */
  readonly migration: string;
  /** The file of a finding that is about no migration, relative to the working directory. Default: migration.sql. */
  readonly file?: string;
  /** The checksum of the migration's file. For a finding about the Prisma schema: of what it says. */
  readonly checksum: string;
  /** The index of the statement; undefined if the finding is about none. */
  readonly statement?: number;
  /** The line in migration.sql, counted from 1. */
  readonly line: number;
  /** What happens and who is affected, in one sentence each. */
  readonly what: string;
  readonly who: string;
  readonly howLong: string;
  /** The reason why no later migration can undo it; undefined if one can. */
  readonly irreversible?: string | undefined;
  readonly safe?: SafeWay;
}
