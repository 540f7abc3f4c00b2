import { setTimeout as pause } from "node:timers/promises";
import { formatDuration } from "../../text/short-duration";
import { AnotherRunner } from "../failures/statement";
import type { Log } from "../log";
import type { Session } from "./connection";
import { ownRows } from "./own-queries";

/**
 * The key of Prisma's advisory lock (prisma-engines, sql-schema-connector). Prisma and this program use the same key,
 * so that they exclude each other.
 */
export const PRISMA_LOCK = 72707369;

/** The session that holds the lock, as pg_stat_activity shows it. `since` is the age of the session in milliseconds. */
interface Holder {
  pid: number;
  application: string;
  client: string | null;
  since: number;
}

/**
 * Takes Prisma's lock by trying again and again. A session that blocks in pg_advisory_lock would be waited for by every
 * CREATE INDEX CONCURRENTLY of the runner that has the lock, and so deadlock with it. The lock belongs to the session
 * and ends with it.
 * @param wait the longest time to wait, in milliseconds
 * @throws AnotherRunner if the lock is not free within that time
 */
export async function takeLock(session: Session, wait: number, log: Log, signal?: AbortSignal): Promise<void> {
  const began = Date.now();
  let heartbeat = began;
  for (;;) {
    signal?.throwIfAborted();
    const [row] = await session.rows<{ locked: boolean }>("SELECT pg_try_advisory_lock($1) AS locked", [PRISMA_LOCK]);
    if (row!.locked) return;
    const waited = Date.now() - began;
    if (waited >= wait) throw new AnotherRunner(formatDuration(wait), await describeHolder(session));
    if (began === heartbeat || Date.now() - heartbeat >= 10_000) {
      const holder = await describeHolder(session);
      heartbeat = Date.now() + 1;
      log.event("lock.waiting", `Waiting for another migrator (${formatDuration(waited)} so far): ${holder}`, {
        waited,
        holder,
      });
    }
    // The delay is random, so that waiting runners don't all try at the same instant.
    await pause(Math.min(100 + Math.random() * 200, wait - waited + 1), undefined, { signal }).catch(() => undefined);
  }
}

/** The statements that release the session's locks while the session goes on. */
const GIVES_LOCKS_AWAY = /\bDISCARD\s+ALL\b|\bpg_advisory_unlock/i;

/**
 * Takes the lock again if the SQL that was just run released it: `DISCARD ALL`, `pg_advisory_unlock_all()`.
 * @throws AnotherRunner if another runner was quicker
 */
export async function keepLock(session: Session, sql: string, log: Log): Promise<void> {
  if (!GIVES_LOCKS_AWAY.test(sql)) return;
  const [taken] = await ownRows<{ locked: boolean }>(
    session,
    `SELECT pg_try_advisory_lock($1) AS locked WHERE NOT EXISTS (
       SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = $1 AND objsubid = 1 AND granted AND pid = pg_backend_pid())`,
    [PRISMA_LOCK],
  );
  if (!taken) return;
  if (!taken.locked) throw new AnotherRunner(formatDuration(0), await describeHolder(session));
  log.event("lock.retaken", "Warning: the migration gave the migrator's lock away; it was taken again.");
}

/** Releases Prisma's lock. A lost session no longer has it. */
export async function releaseLock(session: Session): Promise<void> {
  if (session.lost === undefined)
    await session.rows("SELECT pg_catalog.pg_advisory_unlock($1)", [PRISMA_LOCK]).catch(() => undefined);
}

/** Describes for people the session that holds the lock. */
export async function describeHolder(session: Session): Promise<string> {
  const [holder] = await session.rows<Holder>(
    `SELECT a.pid, a.application_name AS application, host(a.client_addr) AS client,
       (extract(epoch FROM clock_timestamp() - a.backend_start) * 1000)::float8 AS since
     FROM pg_locks l JOIN pg_stat_activity a USING (pid)
     WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 0 AND l.objid = $1 AND l.objsubid = 1
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [PRISMA_LOCK],
  );
  if (!holder) return "it has ended just now";
  const from = holder.client === null ? "" : ` from ${holder.client}`;
  return `pid ${holder.pid} (${holder.application || "unnamed"}${from}), connected for ${formatDuration(holder.since)}`;
}
