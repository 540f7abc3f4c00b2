import type { Session } from "./connection";

/** What pg_stat_replication tells this role of the replicas. */
export interface Replication {
  /** Replicas that are connected. */
  readonly replicas: number;
  /** Of these, the ones whose state only a member of pg_monitor sees. */
  readonly hidden: number;
  /** How far the slowest visible one is behind, in milliseconds; undefined when all have caught up, or none is visible. */
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
