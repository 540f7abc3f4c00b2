import type { LockMode } from "../migrations/sql/locks";
import type { TableSize } from "../text/table-size";

/** What one statement was seen to do to a table that was there before its migration. */
export interface MeasuredTable {
  /** The table's name; it contains the schema unless that is `public`. */
  readonly name: string;
  /**
   * The strongest lock that the statement obtained on it. It is undefined if that is none stronger than those of readers
   * and writers, or if its transaction held one as strong before.
   */
  readonly lock?: LockMode;
  /** Whether its rows moved to another file. */
  readonly rewritten: boolean;
  /** Whether it was read from one end to the other. */
  readonly scanned: boolean;
}

/**
 * What one statement of a migration, or several that only write rows, was seen to do. No text of SQL and no value of a
 * row is in it.
 */
export interface MeasuredStatement {
  /** The index of the statement in its migration, counted from 0, as in the review's findings. */
  readonly index: number;
  readonly line: number;
  /** What it is, such as `ALTER TABLE`. */
  readonly kind: string;
  /** The number of statements from this one on that only write rows, and were sent and measured together. Default: 1. */
  readonly count?: number;
  readonly milliseconds: number;
  /** The number of rows that it inserted, changed or deleted. */
  readonly rows: number;
  /** The bytes of WAL that were written meanwhile, which every replica has to receive; 0 where the server doesn't tell. */
  readonly walBytes: number;
  readonly tables: readonly MeasuredTable[];
}

/** A table that others could not use as usual for a time. */
export interface MeasuredBlock {
  readonly table: string;
  /** The strongest lock that was held. */
  readonly lock: LockMode;
  /** The time from the first statement that held a lock that keeps others from writing, to the end of its transaction. */
  readonly milliseconds: number;
}

/** What one migration was seen to do. */
export interface MeasuredMigration {
  readonly name: string;
  readonly milliseconds: number;
  readonly blocked: readonly MeasuredBlock[];
  readonly statements: readonly MeasuredStatement[];
}

/** The plan of one frequent statement of the app, before and after the migrations. */
export interface MeasuredPlan {
  /** The statement as pg_stat_statements normalises it: without literals. */
  readonly statement: string;
  readonly calls: number;
  /** The planner's estimated cost; undefined: EXPLAIN refused it. */
  readonly costBefore: number | undefined;
  readonly costAfter: number | undefined;
  /** How it reads its tables, such as `Index Scan on notes (notes_email_idx)`. */
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** What a measured run of the migrator did: the fields of its event `measured`, besides `event` and `message`. */
export interface Measurement {
  readonly milliseconds: number;
  readonly migrations: readonly MeasuredMigration[];
  /** The sizes of the tables that the migrations touch, by name. A new table has no `before`, a dropped one no `after`. */
  readonly growth: Readonly<Record<string, { readonly before?: TableSize; readonly after?: TableSize }>>;
  /** By how many bytes the database has grown. It is negative if it shrank. */
  readonly diskBytes: number;
  readonly walBytes: number;
  /** The plans that became different or more expensive; undefined: pg_stat_statements can't be read there. */
  readonly plans: readonly MeasuredPlan[] | undefined;
}
