import { escapeIdentifier } from "pg";
import { maskSql } from "../../migrations/sql/mask-sql";
import { parseScript } from "../../migrations/sql/parse";
import type { MeasuredPlan } from "../../report/measurement";
import type { Session } from "../db/connection";

/** The number of statements whose plans are compared: those that took the most time in all. */
const MOST = 20;
/** The longest time, in milliseconds, for EXPLAIN of one statement. */
const LIMIT = 2000;
/** A plan is reported if its cost has grown by more than this factor. */
const GROWN = 1.2;

/** A statement of the app with its plan at one moment. */
interface ExplainedStatement {
  readonly statement: string;
  readonly calls: number;
  /** The planner's estimated cost; undefined: EXPLAIN refused the statement. */
  readonly cost: number | undefined;
  readonly scans: readonly string[];
}

/** The statements by their queryid. */
export type StatementPlans = ReadonlyMap<string, ExplainedStatement>;

/** A node of a plan, as EXPLAIN (FORMAT JSON) writes it. */
interface PlanNode {
  "Node Type": string;
  "Relation Name"?: string;
  "Index Name"?: string;
  "Total Cost": number;
  Plans?: PlanNode[];
}

/**
 * Reads the plans of the statements of this database that took the most time, from pg_stat_statements.
 * Planning a statement may call functions that it names, with the rights of this session. So only statements of roles
 * are read whose every member may act as this session's role.
 * @returns undefined if pg_stat_statements can't be read here
 */
export async function readPlans(session: Session): Promise<StatementPlans | undefined> {
  const plans = new Map<string, ExplainedStatement>();
  try {
    const [extension] = await session.rows<{ schema: string }>(
      "SELECT quote_ident(n.nspname) AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'pg_stat_statements'",
    );
    if (!extension) return undefined;
    const rows = await session.rows<{ id: string; query: string; calls: number }>(
      `SELECT s.queryid::text AS id, min(s.query) AS query, sum(s.calls)::float8 AS calls FROM ${extension.schema}.pg_stat_statements s
       WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
         AND s.query ~* '^\\s*(select|insert|update|delete|with)\\M' AND s.query !~ '\\m(pg_catalog|pg_\\w+|_release|_prisma_migrations)\\M'
         AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolcanlogin AND NOT r.rolsuper
           AND pg_has_role(r.oid, s.userid, 'MEMBER') AND NOT pg_has_role(r.oid, current_user, 'MEMBER'))
       GROUP BY s.queryid ORDER BY sum(s.total_exec_time) DESC LIMIT ${MOST}`,
    );
    await session.run(
      `BEGIN READ ONLY; SET LOCAL statement_timeout = ${LIMIT}; SET LOCAL lock_timeout = ${LIMIT}; SET LOCAL search_path = ${escapeIdentifier(session.target.schema)}`,
    );
    try {
      for (const { id, query, calls } of rows) {
        const root = await explain(session, query);
        plans.set(id, {
          statement: maskSql(query),
          calls,
          cost: root?.["Total Cost"],
          scans: root ? scansOf(root) : [],
        });
      }
    } finally {
      if (session.lost === undefined) await session.run("ROLLBACK");
    }
    return plans;
  } catch (error) {
    if (session.lost !== undefined) throw error;
    // The extension is installed, but it isn't loaded (shared_preload_libraries), or this role may not read it.
    return undefined;
  }
}

/** Returns the plan of a statement; undefined if Postgres can't plan it without the values of its parameters. */
async function explain(session: Session, query: string): Promise<PlanNode | undefined> {
  const parametrised = /\$\d/.test(query);
  if (parametrised && session.serverVersion < 160_000) return undefined;
  const text = onlyStatement(query);
  if (text === undefined) return undefined;
  await session.run("SAVEPOINT explained");
  try {
    const [result] = await session.run(`EXPLAIN (${parametrised ? "GENERIC_PLAN, " : ""}FORMAT JSON) ${text}`);
    return result?.rows[0]?.["QUERY PLAN"]?.[0]?.Plan;
  } catch (error) {
    if (session.lost !== undefined) throw error;
    await session.run("ROLLBACK TO SAVEPOINT explained");
    return undefined;
  }
}

/** Returns the text if it is one statement, as far as it can be parsed. */
function onlyStatement(query: string): string | undefined {
  try {
    const statements = [...parseScript(query)];
    return statements.length === 1 ? statements[0]!.text : undefined;
  } catch {
    return undefined;
  }
}

/** Returns how a plan reads its tables, such as `Index Scan on notes (notes_email_idx)`. */
function scansOf(node: PlanNode): string[] {
  const { "Relation Name": table, "Index Name": index, "Node Type": type, Plans = [] } = node;
  const own = table === undefined ? [] : [`${type} on ${table}${index === undefined ? "" : ` (${index})`}`];
  // A bitmap scan has its index in a node of its own.
  if (table === undefined && index !== undefined) own.push(`${type} (${index})`);
  return [...own, ...Plans.flatMap(scansOf)];
}

/** Returns the statements whose plans read tables in another way than before, or became more expensive. */
export function changedPlans(before: StatementPlans, after: StatementPlans): MeasuredPlan[] {
  return [...before].flatMap(([id, { statement, calls, cost: costBefore, scans }]) => {
    const now = after.get(id);
    if (!now) return [];
    const { cost: costAfter, scans: scansAfter } = now;
    const other = [...scans].sort().join() !== [...scansAfter].sort().join();
    const dearer = costBefore !== undefined && costAfter !== undefined && costAfter > costBefore * GROWN;
    if (!other && !dearer) return [];
    return [{ statement, calls, costBefore, costAfter, before: scans, after: scansAfter }];
  });
}
