import type { Session } from "../db/connection";
import { type NotRead, readTables } from "../db/safe-read";

/** The number of a table's rows: counted if the table is small, else the planner's estimate. */
export interface Count {
  readonly rows: number;
  readonly exact: boolean;
}

/** Tables with fewer rows than this are counted. */
const EXACT_BELOW = 100_000;

/** The longest time for counting one table, in milliseconds. */
const LIMIT = 10_000;

/**
 * Counts the rows of the tables that exist. The count is unknown if a table is locked, takes too long, hides rows from
 * this role, or has indexes that call functions of other roles.
 */
export async function countRows(session: Session, tables: readonly string[]): Promise<Record<string, Count | NotRead>> {
  const counts: Record<string, Count | NotRead> = {};
  const known = await session.rows<{ name: string; estimate: number }>(
    `SELECT t.name, c.reltuples::float8 AS estimate FROM unnest($1::text[]) t(name) JOIN pg_class c ON c.oid = to_regclass(t.name)
     WHERE c.relkind IN ('r', 'p') AND has_table_privilege(c.oid, 'SELECT')`,
    [tables],
  );
  for (const { name, estimate } of known) {
    if (estimate >= EXACT_BELOW) {
      counts[name] = { rows: Math.round(estimate), exact: false };
      continue;
    }
    const counted = await readTables<{ rows: number }>(
      session,
      [name],
      LIMIT,
      `SELECT count(*)::int AS rows FROM (SELECT 1 FROM ${name} LIMIT ${EXACT_BELOW + 1}) limited`,
    );
    if ("unknown" in counted) counts[name] = counted;
    else counts[name] = { rows: counted[0]!.rows, exact: counted[0]!.rows <= EXACT_BELOW };
  }
  return counts;
}
