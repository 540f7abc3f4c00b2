import type { Session } from "./connection";

/** How far the slowest replica is behind, in milliseconds; undefined without replicas, or without the right to see it (pg_monitor). */
export async function replicationLag(session: Session): Promise<number | undefined> {
  const [row] = await session.rows<{ lag: number | null }>(
    `SELECT pg_catalog.max(extract(epoch FROM replay_lag) OPERATOR(pg_catalog.*) 1000)::pg_catalog.float8 AS lag
     FROM pg_catalog.pg_stat_replication`,
  );
  return row?.lag ?? undefined;
}
