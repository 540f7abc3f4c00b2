import { setTimeout as pause } from "node:timers/promises";
import type { Session } from "../../migrator/db/connection";
import { RestoreBusy } from "../failures/restoring";

/** The advisory lock of restores, which belongs to the source's database. The number is "restore" in ASCII. */
const LOCK = "32199693894120037";

/** The time for which the lock of another run is waited for: a pod that was deleted ends within 30 s. */
const WAIT_MS = 60_000;

/** The time between two statements that keep the session alive, in milliseconds. */
const ALIVE_MS = 30_000;

/**
 * Takes the lock that only one restore of a database has, and keeps its session alive until the returned function is
 * called. The lock goes with the session, so a run that was killed has none; while the server still creates a database
 * for it, it does.
 * @throws RestoreBusy
 */
export async function lockRestores(session: Session, copy: string, signal: AbortSignal): Promise<() => void> {
  for (const end = Date.now() + WAIT_MS; ; await pause(500, undefined, { signal })) {
    const [row] = await session.rows<{ locked: boolean }>(`SELECT pg_try_advisory_lock(${LOCK}) AS locked`);
    if (row?.locked) break;
    if (Date.now() > end) throw new RestoreBusy(copy);
  }
  const timer = setInterval(() => {
    // A session that is lost is noticed by its next statement.
    if (session.lost === undefined) session.rows("SELECT 1").catch(() => undefined);
  }, ALIVE_MS);
  return () => clearInterval(timer);
}
