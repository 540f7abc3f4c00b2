import { counted } from "../../text/counted";
import { type WrittenSince, type WrittenTable, writtenSince } from "../checks/written";
import { readCounters, recordedCounters, type WriteCounters } from "../records/write-counters";
import type { Run } from "../run";

/** The counters that `written` compares with, and their time. */
export interface WrittenBase {
  /** The time of the counters (ISO 8601). */
  readonly at: string;
  readonly counters: WriteCounters;
}

/** A session of somebody else that is connected to the database. */
interface Connected {
  readonly role: string | null;
  readonly application: string | null;
  readonly address: string | null;
  /** Whether it is in a transaction that has written something. */
  readonly writes: boolean;
}

/** The number of tables and of connections that are listed. */
const SHOWN = 20;

/**
 * Tells which rows were written since a backup was made, and who is still connected. It only reads.
 *
 * A backup has no counters of its own, because a server that is restored begins to count anew. It has those of the
 * release before it; this database also has those with which the release after the backup began to migrate, and they
 * are the nearer ones.
 *
 * @param base the newest counters that the backup has, or those of the copy itself; undefined: there are none
 */
export async function written(run: Run, base: WrittenBase | undefined): Promise<void> {
  const { session, log, records } = run;
  const now = await readCounters(session);
  const recorded = (await recordedCounters(records)).filter(({ at }) => base && at > new Date(base.at));
  const next = recorded.find(({ data }) => data.moment === "before-migrations");
  const from = next ? { at: next.at.toISOString(), counters: next.data } : base;
  const since = from && writtenSince(from.counters, now);
  // What the app wrote after the migrations is told apart from what the migrations themselves wrote.
  const after = recorded.findLast(({ data }) => data.moment === "after-migrations");
  const later = after && writtenSince(after.data, now);
  if (!from || !since) log.event("written.unknown", "It is not known what was written: there are no counters of then.");
  else for (const line of writtenLines(from.at, since, later)) log.event("written.line", line);
  const connected = await connections(run);
  for (const each of connected.slice(0, SHOWN)) log.event("written.connection", connectionLine(each));
  const rows = Object.fromEntries(Object.entries(now.tables).map(([table, { rows: estimate }]) => [table, estimate]));
  const found = { at: from?.at ?? null, since: since ?? null, later: later ?? null, connected, rows };
  log.event("written", "Nothing was changed.", { found: found as never });
}

function writtenLines(at: string, { tables, unknown, gone }: WrittenSince, later: WrittenSince | undefined): string[] {
  const lines = tables.slice(0, SHOWN).map((each) => {
    const after = later?.tables.find(({ table }) => table === each.table);
    const own = later ? `; ${after ? changes(after) : "nothing"} after the migrations` : "";
    return `  ${each.table}: ${changes(each)}${own}`;
  });
  const more = tables.length - lines.length;
  return [
    tables.length === 0 ? `Nothing was written since ${at}.` : `Written since ${at}, by the app and by migrations:`,
    ...lines,
    ...(more > 0 ? [`  and ${counted(more, "other table")}`] : []),
    ...(gone.length > 0 ? [`  gone since then: ${gone.join(", ")}`] : []),
    ...(unknown.length > 0
      ? [`  unknown, because the server's counters were reset: ${unknown.slice(0, SHOWN).join(", ")}`]
      : []),
  ];
}

function changes({ inserted, updated, deleted }: WrittenTable): string {
  const parts = Object.entries({ inserted, updated, deleted }).filter(([, rows]) => rows > 0);
  return parts.map(([what, rows]) => `${rows} ${what}`).join(", ");
}

function connectionLine({ role, application, address, writes }: Connected): string {
  const from = address === null ? "" : ` from ${address}`;
  return `Still connected: ${role ?? "a role"}${application ? ` (${application})` : ""}${from}${writes ? ", and writing now" : ""}.`;
}

/** Lists the sessions of others in this database. A role without `pg_monitor` sees of them only the role's name. */
function connections({ session }: Run): Promise<Connected[]> {
  return session.rows<Connected & Record<string, unknown>>(
    `SELECT usename AS role, nullif(application_name, '') AS application, host(client_addr) AS address,
       backend_xid IS NOT NULL AS writes
     FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
       AND backend_type = 'client backend' AND application_name IS DISTINCT FROM 'release-migrator'
     ORDER BY backend_xid IS NULL, backend_start`,
  );
}
