import { maskSql } from "../../migrations/sql/mask-sql";
import type { Session } from "../db/connection";

/** What the server has counted so far, per statement and per table. */
export interface Statistics {
  /** By queryid; undefined where pg_stat_statements is not installed. */
  readonly statements?: Record<string, { query: string; calls: number; total: number }>;
  readonly tables: Record<string, { sequential: number; index: number; rows: number }>;
}

/** The statements that took the most time are kept, this many. */
const KEPT = 200;

/** The server stores other statements as they were written, with passwords in them: none of those is kept. */
const QUERY = /^[( ]*(?:SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|VALUES|TABLE)\b/i;

/** Reads what the server has counted so far. */
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
    // Installed, but not loaded (shared_preload_libraries) or not to be read by this role.
    return {};
  }
}

/** How the mean time of a statement changed. */
export interface StatementChange {
  readonly query: string;
  /** Mean milliseconds up to the release, and since. */
  readonly before: number | undefined;
  readonly after: number;
  readonly calls: number;
}

/** Mean times before and since; statements that were not called since are left out. Worst first. */
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

/** How often a table is read as a whole, before and since. */
export interface TableChange {
  readonly table: string;
  /** Share of sequential scans, 0 to 1. */
  readonly before: number | undefined;
  readonly after: number;
  readonly scans: number;
}

/** Tables that are read sequentially more often than before. */
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
