import type { TableSize } from "../../text/table-size";
import type { Session } from "../db/connection";

/**
 * The default number of largest tables that are returned: enough for every app, and a limit for one with a thousand
 * partitions.
 */
const LARGEST = 200;

/** The longest wait for a table that another session has locked exclusively. */
const LOCK_WAIT = "500ms";

const EXACT = "coalesce(pg_total_relation_size(c.oid), 0)";
/**
 * An SQL expression for a table's size that reads only the catalog and is used if a table is locked. Its value is as of
 * the last VACUUM or ANALYZE.
 */
const ESTIMATED = `current_setting('block_size')::bigint * (c.relpages + coalesce(
  (SELECT sum(i.relpages) FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = c.oid), 0))`;

/**
 * Returns the rows (the planner's estimate) and the bytes (with indexes and TOAST) of each table. The review of the
 * next release uses them. A table of the connection's own schema has no schema in its name, as the migrations write it.
 * @param most the number of largest tables that are returned; default: 200
 */
export async function tableSizes(session: Session, most: number | "all" = LARGEST): Promise<Record<string, TableSize>> {
  try {
    await session.run(`BEGIN READ ONLY; SET LOCAL lock_timeout = '${LOCK_WAIT}'`);
    return await read(session, EXACT, most);
  } catch (error) {
    if ((error as { code?: string }).code !== "55P03") throw error;
    await session.run("ROLLBACK; BEGIN READ ONLY");
    return await read(session, ESTIMATED, most);
  } finally {
    if (session.lost === undefined) await session.run("ROLLBACK");
  }
}

async function read(session: Session, bytes: string, most: number | "all"): Promise<Record<string, TableSize>> {
  // The rows of a partitioned table are in its partitions, and are returned for both.
  const rows = await session.rows<{ name: string; rows: number; bytes: number }>(
    `WITH sized AS MATERIALIZED (
       SELECT c.oid, n.nspname, c.relname, c.relkind, ${bytes} AS bytes,
         greatest(c.reltuples, pg_stat_get_live_tuples(c.oid), 0) AS rows
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', '_release')
         AND n.nspname !~ '^pg_(toast|temp)' AND c.relname <> '_prisma_migrations')
     SELECT CASE WHEN nspname = $1 THEN relname ELSE nspname || '.' || relname END AS name,
       CASE WHEN relkind <> 'p' THEN rows ELSE (SELECT coalesce(sum(l.rows), 0) FROM pg_partition_tree(s.oid) t
         JOIN sized l ON l.oid = t.relid WHERE t.isleaf) END::float8 AS rows,
       CASE WHEN relkind <> 'p' THEN bytes ELSE (SELECT coalesce(sum(l.bytes), 0) FROM pg_partition_tree(s.oid) t
         JOIN sized l ON l.oid = t.relid WHERE t.isleaf) END::float8 AS bytes
     FROM sized s ORDER BY 3 DESC, 1 LIMIT ${most}`,
    [session.target.schema],
  );
  return Object.fromEntries(rows.map(({ name, ...size }) => [name, { ...size, rows: Math.round(size.rows) }]));
}
