import { formatBytes } from "../../../text/bytes";
import { formatDuration } from "../../../text/short-duration";
import { type Replication, replication as readReplication } from "../../db/replication";
import type { PreflightCheck } from "./context";

/**
 * Checks that no more than maxConnectionsPercent of the connections are in use, because a rolling update needs more for
 * a while.
 */
export const connections: PreflightCheck = {
  name: "connections",
  kind: "capacity",
  async run({ run: { session, settings } }) {
    const [row] = await session.rows<{ used: number; allowed: number }>(
      `SELECT (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
         current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS allowed`,
    );
    const { used, allowed } = row!;
    const limit = Math.floor((allowed * settings.maxConnectionsPercent) / 100);
    const what = `${used} of ${allowed} connections are in use; a rolling update needs more for a while.`;
    const next = "lower the pool of the app (connection_limit), or end idle sessions";
    return { findings: used > limit ? [{ what, evidence: [], next }] : [], facts: `${used} of ${allowed} in use` };
  },
};

/**
 * Looks for replicas that lag behind by more than maxReplicationLag, and for inactive slots that keep more WAL than
 * maxSlotWal.
 */
export const replication: PreflightCheck = {
  name: "replication",
  kind: "capacity",
  async run({ run: { session, settings } }) {
    const replicas = await readReplication(session);
    const { lagMs } = replicas;
    const slots = await session.rows<{ slot_name: string; kept: string }>(
      `SELECT slot_name, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::text AS kept FROM pg_replication_slots
       WHERE NOT active AND pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) > $1`,
      [settings.maxSlotWal],
    );
    const findings = [];
    if (lagMs !== undefined && lagMs > settings.maxReplicationLag)
      findings.push({
        what: `A replica is ${formatDuration(lagMs)} behind.`,
        evidence: [],
        next: "wait until it has caught up (pg_stat_replication)",
      });
    if (slots.length > 0)
      findings.push({
        what: "Replication slots that nobody reads keep WAL on the disk.",
        evidence: slots.map(({ slot_name, kept }) => `  ${slot_name}: ${formatBytes(Number(kept))}`),
        next: "SELECT pg_drop_replication_slot(NAME) for those that are given up",
      });
    return {
      findings,
      facts: replicationText(replicas),
      unknown: replicas.hidden > 0,
    };
  },
};

function replicationText({ replicas, hidden, lagMs }: Replication): string {
  if (replicas === 0) return "no replica is connected";
  if (hidden > 0) return "unknown: this role does not see how far the replicas are behind (GRANT pg_monitor)";
  return lagMs === undefined ? "the replicas have caught up" : `${formatDuration(lagMs)} behind`;
}

/**
 * Compares the free disk space with what the migrations need for a while. A rewrite needs space for the table and its
 * indexes again, and as much for WAL; an index needs about the table's own size at most.
 */
export const disk: PreflightCheck = {
  name: "disk",
  kind: "capacity",
  async run({ run: { session, settings }, planned }) {
    const heavy = planned.tables.filter(({ effects }) =>
      effects.some(({ work }) => work === "rewrite" || work === "index"),
    );
    const sizes = await session.rows<{ name: string; total: string }>(
      "SELECT t.name, pg_total_relation_size(to_regclass(t.name))::text AS total FROM unnest($1::text[]) t(name) WHERE to_regclass(t.name) IS NOT NULL",
      [heavy.map(({ table }) => table)],
    );
    const need = sizes.reduce((sum, { total }) => sum + 2 * Number(total), 0);
    const facts = `about ${formatBytes(need)} needed for a while; free space ${settings.diskFree === undefined ? "unknown (--disk-free)" : formatBytes(settings.diskFree)}`;
    if (settings.diskFree === undefined || need <= settings.diskFree) return { findings: [], facts };
    return {
      findings: [
        {
          what: `The migrations need about ${formatBytes(need)} of disk for a while, and ${formatBytes(settings.diskFree)} are free.`,
          evidence: sizes.map(({ name, total }) => `  ${name}: ${formatBytes(Number(total))}`),
          next: "enlarge the storage first",
        },
      ],
      facts,
    };
  },
};
