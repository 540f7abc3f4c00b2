import type { Session } from "./connection";

/** The state of the replicas, as far as pg_stat_replication shows it to this role. */
export interface Replication {
  /** The number of connected replicas. */
  readonly replicas: number;
  /** The number of those replicas whose state only a member of pg_monitor can see. */
  readonly hidden: number;
  /** The lag of the slowest visible replica, in milliseconds; undefined if all have caught up, or none is visible. */
  readonly lagMs: number | undefined;
}

/** Reads how far the replicas are behind. */
export async function replication(session: Session): Promise<Replication> {
  const [row] = await session.rows<{ replicas: number; hidden: number; lag: number | null }>(
    `SELECT pg_catalog.count(*)::pg_catalog.int4 AS replicas,
            (pg_catalog.count(*) FILTER (WHERE state IS NULL))::pg_catalog.int4 AS hidden,
            pg_catalog.max(extract(epoch FROM replay_lag) OPERATOR(pg_catalog.*) 1000)::pg_catalog.float8 AS lag
     FROM pg_catalog.pg_stat_replication`,
  );
  return { replicas: row?.replicas ?? 0, hidden: row?.hidden ?? 0, lagMs: row?.lag ?? undefined };
}
