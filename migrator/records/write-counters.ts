import type { Session } from "../db/connection";
import type { Records } from "./records";
import { type ReleaseRecord, recordData } from "./release-records";

/** The rows of one table that were written since the server began to count. */
export interface TableWrites {
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  /** The rows that the server estimates the table to have. */
  readonly rows: number;
}

/** What a server has counted of the writes to each table, as `pg_stat_user_tables` has it. */
export interface WriteCounters {
  /** The time at which the counters of this database were last reset (ISO 8601); null: never, or not known. */
  readonly resetAt: string | null;
  readonly tables: Readonly<Record<string, TableWrites>>;
}

/** The counters when a release begins to migrate, and when its migrations were applied and verified. */
export interface CountersRecord extends WriteCounters {
  readonly moment: "before-migrations" | "after-migrations";
}

/** The version from which on a session can hand in its own counts at once. */
const FLUSHES = 150_000;

/** Reads the counters. Tables of this program and of the history of migrations are left out. */
export async function readCounters(session: Session): Promise<WriteCounters> {
  // The counts of this very session would otherwise be missing for up to a second.
  if (session.serverVersion >= FLUSHES) await session.rows("SELECT pg_stat_force_next_flush()");
  const [database] = await session.rows<{ resetAt: Date | null }>(
    `SELECT stats_reset AS "resetAt" FROM pg_stat_database WHERE datname = current_database()`,
  );
  const rows = await session.rows<TableWrites & { label: string }>(
    `SELECT CASE WHEN schemaname = $1 THEN relname ELSE schemaname || '.' || relname END AS label,
       n_tup_ins::float8 AS inserted, n_tup_upd::float8 AS updated, n_tup_del::float8 AS deleted, n_live_tup::float8 AS rows
     FROM pg_stat_user_tables WHERE schemaname <> '_release' AND relname <> '_prisma_migrations' ORDER BY 1`,
    [session.target.schema],
  );
  return {
    resetAt: database?.resetAt?.toISOString() ?? null,
    tables: Object.fromEntries(rows.map(({ label, ...writes }) => [label, writes])),
  };
}

/**
 * Records the counters. It writes nothing if there are no tables for records yet, or this role may not write them: the
 * counters only help to say later what a restore would lose.
 */
export async function recordCounters(records: Records, moment: CountersRecord["moment"]): Promise<void> {
  if (records.unavailable !== undefined || !(await records.readable())) return;
  const data: CountersRecord = { moment, ...(await readCounters(records.session)) };
  try {
    await recordData(records, "counters", data);
  } catch (error) {
    if (records.session.lost !== undefined) throw error;
    await records.session.run("ROLLBACK");
  }
}

/** Reads every record of the counters, the oldest first. */
export async function recordedCounters(records: Records): Promise<ReleaseRecord<CountersRecord>[]> {
  if (!(await records.readable())) return [];
  return records.session.rows<ReleaseRecord<CountersRecord>>(
    "SELECT at, release, data FROM _release.record WHERE schema_name = $1 AND kind = 'counters' ORDER BY id",
    [records.schema],
  );
}
