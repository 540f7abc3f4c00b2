import type { MigrationPlan } from "../../../migrations/history/plan";
import type { Session } from "../../db/connection";
import { each, type Impossible, type Place } from "./impossible";

/**
 * Finds COPY statements without rows to read: from the migrator's own input, or from a file that the server doesn't
 * have.
 */
export async function copies(session: Session, plans: readonly MigrationPlan[]): Promise<Impossible[]> {
  const found: Impossible[] = [];
  const files: (Place & { file: string })[] = [];
  each(plans, (node, at) => {
    if (!("CopyStmt" in node)) return;
    const { is_from: isFrom = false, filename, is_program: isProgram = false } = node.CopyStmt;
    if (!isFrom || isProgram) return;
    if (filename === undefined)
      found.push({ ...at, why: "COPY … FROM STDIN waits for rows that no migration can send; write them as INSERT" });
    else files.push({ ...at, file: filename });
  });
  for (const { file, ...at } of files)
    if (await isMissing(session, file))
      found.push({
        ...at,
        why: "COPY … FROM reads a file that is not on the server's machine; write its rows as INSERT",
      });
  return found;
}

/**
 * Returns true if the server doesn't have the file. The result is false if the role may not look; the check
 * `permissions` reports what the role may read.
 */
async function isMissing(session: Session, file: string): Promise<boolean> {
  try {
    const [row] = await session.rows<{ missing: boolean }>(
      `SELECT CASE WHEN pg_catalog.has_function_privilege('pg_catalog.pg_stat_file(text, boolean)', 'EXECUTE')
         THEN (pg_catalog.pg_stat_file($1, true)).modification IS NULL ELSE false END AS missing`,
      [file],
    );
    return row?.missing ?? false;
  } catch {
    return false;
  }
}
