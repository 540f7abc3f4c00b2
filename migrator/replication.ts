import type { Session } from "./connection";

/** How far the slowest replica is behind, in milliseconds; undefined without replicas, or without the right to see it (pg_monitor). */
export async function replicationLag(session: Session): Promise<number | undefined> {
  const [row] = await session.rows<{ lag: number | null }>(
    "SELECT max(extract(epoch FROM replay_lag) * 1000)::float8 AS lag FROM pg_stat_replication",
  );
  return row?.lag ?? undefined;
}
