import { escapeIdentifier, escapeLiteral } from "pg";
import type { Session } from "../../migrator/db/connection";
import { type Mark, markText, readMark } from "./mark";

/**
 * The connection limit with which a copy is created, while nobody may connect: so a database that a run has created, and
 * was killed before it could mark it, is known as such, and is empty for certain.
 */
export const CREATED = 0x72657374;

/** The connection limit of a database whose DROP was interrupted (DATCONNLIMIT_INVALID_DB of Postgres). */
const HALF_DROPPED = -2;

/** A database of the server. */
export interface ServerDatabase {
  readonly name: string;
  /** What a restore has written on it; undefined if none has made it. */
  readonly mark: Mark | undefined;
  /** Whether a restore has begun to create it, or to drop it, and was ended before the end: it is empty or unusable. */
  readonly unusable: boolean;
  readonly owner: string;
  /** The application names and roles of the sessions that use it. */
  readonly sessions: readonly string[];
}

/** Reads one database of the server; undefined if there is none of that name. */
export async function findDatabase(session: Session, name: string): Promise<ServerDatabase | undefined> {
  const [found] = await read(session, "d.datname = $1", [name]);
  return found;
}

/** Reads every copy that restores have made of this session's database. */
export async function copiesOf(session: Session): Promise<(ServerDatabase & { readonly mark: Mark })[]> {
  const { database } = session.target;
  const all = await read(session, "d.datname <> $1 AND shobj_description(d.oid, 'pg_database') IS NOT NULL", [
    database,
  ]);
  return all.flatMap((each) => (each.mark?.source === database ? [{ ...each, mark: each.mark }] : []));
}

/**
 * Returns the names of the copies of this session's database that no run has finished, and of what has been created
 * for one and not been marked yet.
 * @param name the name of the copy that is about to be made
 */
export async function unfinishedOf(session: Session, name: string): Promise<string[]> {
  const { database } = session.target;
  const all = await read(session, "d.datname <> $1 AND NOT d.datistemplate", [database]);
  const own = (each: ServerDatabase) =>
    each.mark?.source === database || each.name === name || each.name.startsWith(`${baseName(database)}_restored_`);
  return all.flatMap((each) => (own(each) && (each.unusable || each.mark?.state === "restoring") ? [each.name] : []));
}

/** Returns the name of a database without what a restore has added to it. */
export function baseName(database: string): string {
  return database.replace(/_restored_\d{8}_\d{4}[a-z]?$/, "");
}

/** Returns the names of all databases that begin with a text. */
export async function namesWith(session: Session, beginning: string): Promise<string[]> {
  const rows = await session.rows<{ name: string }>(
    "SELECT datname::text AS name FROM pg_database WHERE starts_with(datname::text, $1)",
    [beginning],
  );
  return rows.map(({ name }) => name);
}

async function read(session: Session, condition: string, values: unknown[]): Promise<ServerDatabase[]> {
  const rows = await session.rows<{
    name: string;
    comment: string | null;
    unusable: boolean;
    owner: string;
    sessions: string[] | null;
  }>(
    `SELECT d.datname::text AS name, shobj_description(d.oid, 'pg_database') AS comment,
       NOT d.datallowconn AND d.datconnlimit = ${CREATED} OR d.datconnlimit = ${HALF_DROPPED} AS unusable, r.rolname::text AS owner,
       (SELECT array_agg(DISTINCT coalesce(nullif(a.application_name, ''), 'a session') || ' of ' || coalesce(a.usename::text, '?'))
        FROM pg_stat_activity a WHERE a.datid = d.oid AND a.backend_type IN ('client backend', 'walsender')) AS sessions
     FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba WHERE ${condition} ORDER BY 1`,
    values,
  );
  return rows.map(({ comment, sessions, ...row }) => ({
    ...row,
    mark: readMark(comment),
    sessions: sessions ?? [],
  }));
}

/** Writes the mark on a copy. */
export async function writeMark(session: Session, name: string, mark: Mark): Promise<void> {
  await session.run(`COMMENT ON DATABASE ${escapeIdentifier(name)} IS ${escapeLiteral(markText(mark))}`);
}

/** Drops a database, and ends the sessions that use it. */
export async function dropDatabase(session: Session, name: string): Promise<void> {
  await session.run(`DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE)`);
}
