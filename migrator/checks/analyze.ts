import { formatDuration } from "../../text/short-duration";
import type { Run } from "../run";

/** Gives the planner numbers for what changed; tables without rows need none. What can't be analyzed is said, and fails nothing. */
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
