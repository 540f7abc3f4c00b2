import { counted } from "../../../text/counted";
import { formatDuration } from "../../../text/short-duration";
import { describeHolder, PRISMA_LOCK } from "../../db/lock";
import { describeBlocker } from "../../db/watcher";
import type { PreflightCheck } from "./context";

type Blocker = Parameters<typeof describeBlocker>[0];

const ACTIVITY = `a.pid, a.application_name AS application, a.usename AS user, a.state,
  extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.backend_start))::float8 AS seconds, left(coalesce(a.query, ''), 200) AS query`;

/** Looks for transactions that hold locks on tables that the migrations touch. */
export const locks: PreflightCheck = {
  name: "locks",
  kind: "locks",
  async run({ run: { session }, planned }) {
    const names = planned.tables.map(({ table }) => table);
    // Any transaction that has used the table holds at least ACCESS SHARE, so only those older than 2 seconds count.
    const held = await session.rows<Blocker & { relation: string; mode: string }>(
      `SELECT ${ACTIVITY}, l.relation::regclass::text AS relation, l.mode FROM pg_locks l JOIN pg_stat_activity a USING (pid)
       WHERE l.locktype = 'relation' AND l.granted AND l.relation = ANY (SELECT to_regclass(name) FROM unnest($1::text[]) name)
         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND a.pid <> pg_backend_pid()
         AND a.xact_start < clock_timestamp() - interval '2 seconds' ORDER BY a.xact_start LIMIT 10`,
      [names],
    );
    const findings =
      held.length === 0
        ? []
        : [
            {
              what: "Transactions hold locks on tables that the migrations need.",
              evidence: held.map((each) => `  ${each.relation}: ${each.mode} by ${describeBlocker(each)}`),
              next: "wait for them to end, or end them: SELECT pg_terminate_backend(PID)",
            },
          ];
    return { findings, facts: `${counted(names.length, "table")} looked at` };
  },
};

/** Looks for transactions that have been open for longer than the setting maxTransactionAge. */
export const oldTransactions: PreflightCheck = {
  name: "old-transactions",
  kind: "locks",
  async run({ run: { session, settings } }) {
    const old = await session.rows<Blocker>(
      `SELECT ${ACTIVITY} FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
         AND a.xact_start < clock_timestamp() - $1 * interval '1 millisecond' AND a.backend_type = 'client backend' ORDER BY a.xact_start LIMIT 10`,
      [settings.maxTransactionAge],
    );
    const what = `Transactions have been open for longer than ${formatDuration(settings.maxTransactionAge)}; an index built CONCURRENTLY waits for each of them.`;
    const next = "end them: SELECT pg_terminate_backend(PID)";
    return {
      findings: old.length > 0 ? [{ what, evidence: old.map((each) => `  ${describeBlocker(each)}`), next }] : [],
      facts: `limit ${formatDuration(settings.maxTransactionAge)}`,
    };
  },
};

/** Looks for another migrator at work. */
export const runner: PreflightCheck = {
  name: "runner",
  kind: "locks",
  async run({ run: { session } }) {
    const [row] = await session.rows<{ held: boolean }>(
      `SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = $1 AND objsubid = 1
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS held`,
      [PRISMA_LOCK],
    );
    if (!row!.held) return { findings: [], facts: "none" };
    const evidence = [`  ${await describeHolder(session)}`];
    return {
      findings: [{ what: "Another migrator is working on this database.", evidence, next: "wait for it to end" }],
      facts: "one",
    };
  },
};

/** Looks for prepared transactions that nobody has ended. */
export const prepared: PreflightCheck = {
  name: "prepared-transactions",
  kind: "locks",
  async run({ run: { session } }) {
    const found = await session.rows<{ gid: string; since: string; owner: string }>(
      "SELECT gid, prepared::text AS since, owner FROM pg_prepared_xacts WHERE database = current_database() ORDER BY prepared LIMIT 10",
    );
    const evidence = found.map(({ gid, since, owner }) => `  '${gid}' of ${owner}, since ${since}`);
    const next = "COMMIT PREPARED or ROLLBACK PREPARED each of them";
    const what = "Prepared transactions hold their locks until somebody ends them.";
    return { findings: found.length > 0 ? [{ what, evidence, next }] : [], facts: `${found.length}` };
  },
};

/** Looks for a vacuum against wrap-around on a table that the migrations touch. */
export const vacuum: PreflightCheck = {
  name: "vacuum",
  kind: "locks",
  async run({ run: { session }, planned }) {
    const found = await session.rows<{ relation: string; query: string; pid: number }>(
      `SELECT p.relid::regclass::text AS relation, a.query, a.pid FROM pg_stat_progress_vacuum p JOIN pg_stat_activity a USING (pid)
       WHERE p.datname = current_database() AND p.relid = ANY (SELECT to_regclass(name) FROM unnest($1::text[]) name)
         AND a.query LIKE '%to prevent wraparound%'`,
      [planned.tables.map(({ table }) => table)],
    );
    const what =
      "A vacuum against transaction wrap-around works on a table that the migrations need; it doesn't give way.";
    const evidence = found.map(({ relation, pid }) => `  ${relation}, pid ${pid}`);
    return {
      findings:
        found.length > 0 ? [{ what, evidence, next: "wait until it is through (pg_stat_progress_vacuum)" }] : [],
      facts: "none",
    };
  },
};
