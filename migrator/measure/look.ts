import type { LockMode } from "../../migrations/sql/locks";
import { stronger } from "../../migrations/sql/locks";
import type { MeasuredTable } from "../../report/measurement";
import type { Session } from "../db/connection";

/** A table or view as one look saw it. */
interface Relation {
  /** Its name; it contains the schema unless that is the connection's own. */
  readonly name: string;
  /** The number of its data file, which is another one after a rewrite. */
  readonly file: number;
  /** How often the session has read it from one end to the other, as far as that is not yet in the statistics. */
  readonly scans: number;
}

/** What the session saw at one moment. */
export interface Look {
  readonly relations: ReadonlyMap<number, Relation>;
  /** The strongest lock that the session holds, by the object's OID. */
  readonly held: ReadonlyMap<number, LockMode>;
  /** The position in the WAL, in bytes. */
  readonly wal: number;
}

interface Row {
  oid: number | null;
  name: string | null;
  file: number;
  scans: number;
  modes: string[] | null;
  wal: number;
}

/** The position in the WAL, in bytes, as an SQL expression. */
const WAL_POSITION = "pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::pg_catalog.float8";

/** Returns the position in the WAL, in bytes; undefined where the server doesn't tell it, as on some platforms. */
export async function walPosition(session: Session): Promise<number | undefined> {
  try {
    const [row] = await session.rows<{ wal: number }>(`SELECT ${WAL_POSITION} AS wal`);
    return row?.wal;
  } catch (error) {
    if (session.lost !== undefined) throw error;
    return undefined;
  }
}

/** The tables and views that a migration can be about, in an SQL query that depends on no search path. */
const RELATIONS = `SELECT c.oid, n.nspname, c.relname, c.relfilenode FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  WHERE c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,m,v}'::pg_catalog."char"[])
    AND n.nspname OPERATOR(pg_catalog.!~) '^pg_' AND n.nspname OPERATOR(pg_catalog.<>) ALL ('{information_schema,_release}'::pg_catalog.name[])
    AND c.relname OPERATOR(pg_catalog.<>) '_prisma_migrations'`;

/**
 * Looks at the tables and at the locks that the session itself holds, in one round trip. It may be called inside the
 * transaction of a migration, under any role and search path: it reads nothing but the catalog, which every role may
 * read.
 * @param readsWal false where the server doesn't tell its position in the WAL; it is 0 then. Default: true
 */
export async function look(session: Session, readsWal = true): Promise<Look> {
  const rows = await session.rows<Row>(
    `WITH held AS MATERIALIZED (SELECT l.relation, pg_catalog.array_agg(l.mode) AS modes FROM pg_catalog.pg_locks l
       WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() AND l.granted AND l.relation IS NOT NULL GROUP BY 1)
     SELECT coalesce(c.oid, h.relation) AS oid, h.modes, c.relfilenode AS file,
       pg_catalog.pg_stat_get_xact_numscans(c.oid)::pg_catalog.float8 AS scans,
       CASE WHEN c.nspname OPERATOR(pg_catalog.=) $1::pg_catalog.name THEN c.relname::pg_catalog.text
         ELSE pg_catalog.concat(c.nspname, '.', c.relname) END AS name,
       ${readsWal ? WAL_POSITION : "0::pg_catalog.float8"} AS wal
     FROM (${RELATIONS}) c FULL JOIN held h ON h.relation OPERATOR(pg_catalog.=) c.oid`,
    [session.target.schema],
  );
  const relations = new Map<number, Relation>();
  const held = new Map<number, LockMode>();
  for (const { oid, name, file, scans, modes } of rows) {
    if (oid === null) continue;
    if (file !== null) relations.set(oid, { name: name ?? "", file, scans });
    if (modes) held.set(oid, modes.map(lockMode).reduce(stronger));
  }
  return { relations, held, wal: rows[0]?.wal ?? 0 };
}

/** Returns a lock's mode as SQL writes it, from the name that pg_locks has for it. */
export function lockMode(name: string): LockMode {
  return name
    .replace(/Lock$/, "")
    .replace(/(?<=[a-z])(?=[A-Z])/g, " ")
    .toUpperCase() as LockMode;
}

/**
 * Says what happened to tables between two looks.
 * @param among the OIDs of the tables that were there before the migration; others are left out
 * @param during locks that were seen in between, and are no longer held
 */
export function compareLooks(
  before: Look,
  after: Look,
  among: ReadonlySet<number>,
  during: ReadonlyMap<number, LockMode> = new Map(),
): MeasuredTable[] {
  const tables: MeasuredTable[] = [];
  for (const [oid, { name, file, scans }] of before.relations) {
    if (!among.has(oid)) continue;
    const now = after.relations.get(oid);
    const lock = obtained(before.held.get(oid), after.held.get(oid) ?? during.get(oid));
    const rewritten = now !== undefined && now.file !== file;
    const scanned = now !== undefined && now.scans > scans;
    if (lock || rewritten || scanned) tables.push({ name, ...(lock && { lock }), rewritten, scanned });
  }
  return tables.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The locks of those who read and write rows, which every use of a table takes. */
const USUAL: readonly LockMode[] = ["ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE"];

function obtained(before: LockMode | undefined, after: LockMode | undefined): LockMode | undefined {
  if (!after || USUAL.includes(after) || (before && stronger(before, after) === before)) return undefined;
  return after;
}
