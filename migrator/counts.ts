import type { Session } from "./connection";

/** Rows of a table: counted where it is small, the planner's estimate where it is not. */
export interface Count {
  readonly rows: number;
  readonly exact: boolean;
}

/** Tables with fewer rows than this are counted. */
export const EXACT_BELOW = 100_000;

/** Rows of the tables that exist; one that is locked just now, or takes too long, is left out. */
export async function countRows(session: Session, tables: readonly string[]): Promise<Record<string, Count>> {
  const counts: Record<string, Count> = {};
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
    try {
      await session.run("BEGIN READ ONLY; SET LOCAL statement_timeout = '10s'; SET LOCAL lock_timeout = '1s'");
      const [row] = await session.rows<{ rows: number }>(
        `SELECT count(*)::int AS rows FROM (SELECT 1 FROM ${name} LIMIT ${EXACT_BELOW + 1}) limited`,
      );
      counts[name] = { rows: row!.rows, exact: row!.rows <= EXACT_BELOW };
    } catch (error) {
      if (session.lost !== undefined) throw error;
    } finally {
      if (session.lost === undefined) await session.run("ROLLBACK");
    }
  }
  return counts;
}
