import { maskSql } from "../../migrations/sql/mask-sql";
import type { Session } from "../db/connection";

/** The server's counts so far, per statement and per table. */
export interface Statistics {
  /**
   * The counts by queryid, with the total time in milliseconds; undefined: pg_stat_statements is not installed, or
   * can't be read.
   */
  readonly statements?: Record<string, { query: string; calls: number; total: number }>;
  readonly tables: Record<string, { sequential: number; index: number; rows: number }>;
}

/** The number of statements that are kept: those that took the most time. */
const KEPT = 200;

/**
 * Matches the statements that are kept. The server stores other kinds of statements as they were written, with
 * passwords in them.
 */
const QUERY = /^[( ]*(?:SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|VALUES|TABLE)\b/i;

/** Reads the server's counts so far. */
export async function readStatistics(session: Session): Promise<Statistics> {
  const tables: Statistics["tables"] = {};
  const rows = await session.rows<{ name: string; sequential: number; index: number; rows: number }>(
    `SELECT schemaname || '.' || relname AS name, seq_scan::float8 AS sequential, coalesce(idx_scan, 0)::float8 AS index, n_live_tup::float8 AS rows
     FROM pg_stat_user_tables WHERE schemaname <> '_release' AND relname <> '_prisma_migrations' ORDER BY seq_scan + coalesce(idx_scan, 0) DESC LIMIT 500`,
  );
  for (const { name, ...counted } of rows) tables[name] = counted;
  return { tables, ...(await readStatements(session)) };
}

async function readStatements(session: Session): Promise<Pick<Statistics, "statements">> {
  const [extension] = await session.rows<{ schema: string }>(
    "SELECT quote_ident(n.nspname) AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'pg_stat_statements'",
  );
  if (!extension) return {};
  try {
    const rows = await session.rows<{ id: string; query: string; calls: number; total: number }>(
      `SELECT queryid::text AS id, left(query, 1000) AS query, calls::float8, total_exec_time::float8 AS total FROM ${extension.schema}.pg_stat_statements
       WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND queryid IS NOT NULL ORDER BY total_exec_time DESC LIMIT ${2 * KEPT}`,
    );
    const counted = rows.map(({ id, query, ...numbers }) => [id, { query: maskSql(query), ...numbers }] as const);
    const queries = counted.filter(([, { query }]) => QUERY.test(query)).slice(0, KEPT);
    return {
      statements: Object.fromEntries(queries.map(([id, each]) => [id, { ...each, query: each.query.slice(0, 160) }])),
    };
  } catch (error) {
    if (session.lost !== undefined) throw error;
    // The extension is installed, but it isn't loaded (shared_preload_libraries), or this role may not read it.
    return {};
  }
}

/** The change in the mean time of a statement. */
export interface StatementChange {
  readonly query: string;
  /** The mean time in milliseconds up to the release, and (`after`) since; undefined: no calls were counted before. */
  readonly before: number | undefined;
  readonly after: number;
  readonly calls: number;
}

/**
 * Compares the mean times before and since. Statements that were not called since are left out, and those that took the
 * most time since come first.
 */
export function compareStatements(before: Statistics, now: Statistics): StatementChange[] {
  return Object.entries(now.statements ?? {})
    .map(([id, { query, calls, total }]) => {
      const was = before.statements?.[id];
      // Counters that went down were reset in between.
      const old = was && was.calls <= calls ? was : { calls: 0, total: 0 };
      const since = calls - old.calls;
      return {
        query,
        before: was && was.calls > 0 ? was.total / was.calls : undefined,
        after: since > 0 ? (total - old.total) / since : 0,
        calls: since,
      };
    })
    .filter(({ calls }) => calls > 0)
    .sort((a, b) => b.after * b.calls - a.after * a.calls);
}

/** The change in how often a table is read as a whole. */
export interface TableChange {
  readonly table: string;
  /** The share of sequential scans before and (`after`) since, from 0 to 1; undefined: there were no scans before. */
  readonly before: number | undefined;
  readonly after: number;
  readonly scans: number;
}

/** Returns the tables whose share of sequential scans has grown by more than 0.1, the most scanned first. */
export function compareTables(before: Statistics, now: Statistics): TableChange[] {
  const share = (sequential: number, index: number) =>
    sequential + index > 0 ? sequential / (sequential + index) : undefined;
  return Object.entries(now.tables)
    .map(([table, { sequential, index }]) => {
      const was = before.tables[table];
      const [moreSequential, moreIndex] = [sequential - (was?.sequential ?? 0), index - (was?.index ?? 0)];
      return {
        table,
        before: was && share(was.sequential, was.index),
        after: share(moreSequential, moreIndex) ?? 0,
        scans: moreSequential + moreIndex,
      };
    })
    .filter(({ scans, before: was, after }) => scans > 0 && after > (was ?? 0) + 0.1)
    .sort((a, b) => b.scans - a.scans);
}
