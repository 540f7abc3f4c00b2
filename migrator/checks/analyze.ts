import { formatDuration } from "../../text/short-duration";
import type { Run } from "../run";

/**
 * Runs ANALYZE on the tables that have rows, so that the planner has their statistics. A table that can't be analyzed
 * causes a warning and no failure.
 */
export async function analyzeTables({ session, log, signal }: Run, tables: readonly string[]): Promise<void> {
  const filled = await session.rows<{ name: string }>(
    `SELECT t.name FROM unnest($1::text[]) t(name) JOIN pg_class c ON c.oid = to_regclass(t.name)
     WHERE c.relkind = 'p' OR (c.relkind IN ('r', 'm') AND pg_relation_size(c.oid) > 0)`,
    [tables],
  );
  for (const { name } of filled) {
    signal.throwIfAborted();
    const began = Date.now();
    try {
      await session.run(`ANALYZE ${name}`);
      const duration = Date.now() - began;
      log.event("analyzed", `ANALYZE ${name} (${formatDuration(duration)})`, { table: name, duration });
    } catch (error) {
      if (session.lost !== undefined || signal.aborted) throw error;
      log.event("analyze.failed", `Warning: ANALYZE ${name}: ${(error as Error).message}`, { table: name });
    }
  }
}
