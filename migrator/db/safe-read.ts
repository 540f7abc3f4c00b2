import type { Session } from "./connection";
import { OWN_PATH } from "./search-path";

/** The reason why a query over tables was not run, or has no answer. */
export interface NotRead {
  readonly unknown: string;
}

/**
 * Finds why a table must not be read. Planning a query over a table computes what its indexes and constraints can
 * compute beforehand, and so calls functions of whoever made them. Functions of a superuser, of this role, and of roles
 * whose every member may act as this role are harmless, because nobody gains rights through them.
 */
const HAZARD = `
  SELECT CASE WHEN c.relkind NOT IN ('r', 'p') THEN 'it is no table'
    WHEN row_security_active(c.oid) THEN 'row level security hides rows from this role'
    ELSE (SELECT 'an index or a constraint of it calls ' || pg_describe_object(d.refclassid, d.refobjid, 0)
      FROM pg_depend d JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid
      WHERE ((d.classid = 'pg_class'::regclass AND (d.objid = c.oid OR d.objid IN (SELECT indexrelid FROM pg_index WHERE indrelid = c.oid)))
          OR (d.classid = 'pg_constraint'::regclass AND d.objid IN (SELECT oid FROM pg_constraint WHERE conrelid = c.oid)))
        AND EXISTS (SELECT FROM pg_roles r WHERE r.rolcanlogin AND NOT r.rolsuper
          AND pg_has_role(r.oid, p.proowner, 'MEMBER') AND NOT pg_has_role(r.oid, current_user, 'MEMBER')) LIMIT 1) END AS hazard
  FROM unnest($1::text[]) t(name) JOIN pg_class c ON c.oid = to_regclass(t.name)`;

/**
 * Runs one query over tables of the app, which may belong to other roles. It runs no code of theirs, and sees all rows
 * or none.
 * @param tables the quoted names of the tables with their schemas; a lock keeps them from being replaced meanwhile
 * @param limit the longest time for the query, in milliseconds
 * @returns the rows, or why there are none: another role owns code in the tables, row level security, a lock, the time
 */
export async function readTables<Row>(
  session: Session,
  tables: readonly string[],
  limit: number,
  query: string,
): Promise<Row[] | NotRead> {
  try {
    await session.run(
      `BEGIN READ ONLY; ${OWN_PATH}; SET LOCAL statement_timeout = ${limit}; SET LOCAL lock_timeout = '1s';
       SET LOCAL row_security = off; LOCK TABLE ${tables.join(", ")} IN ACCESS SHARE MODE`,
    );
    const found = await session.rows<{ hazard: string | null }>(HAZARD, [tables]);
    const hazard = found.find((each) => each.hazard !== null)?.hazard;
    return hazard == null ? await session.rows<Row>(query) : { unknown: hazard };
  } catch (error) {
    if (session.lost !== undefined) throw error;
    return { unknown: (error as Error).message };
  } finally {
    if (session.lost === undefined) await session.run("ROLLBACK");
  }
}
