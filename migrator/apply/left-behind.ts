import type { PlannedStatement } from "../../migrations/history/plan";
import { type ParsedStatement, parseScript } from "../../migrations/sql/parse";
import { findRelation, ownRows } from "../db/own-queries";
import type { Run } from "../run";
import { indexLeftBehind, reindexLeftBehind } from "./invalid-index";

/** What to do with a statement outside transactions, given what is in the catalog: run it, run another instead, or nothing. */
export type Verdict = "run" | "complete" | { instead: string };

/** The few fields of the grammar's nodes that are looked at. */
export interface RangeVar {
  schemaname?: string;
  relname: string;
}

// biome-ignore lint/suspicious/noExplicitAny: the grammar's nodes, of which only a few fields are looked at
type Nodes = Record<string, any>;

/**
 * Such a statement leaves something behind when it is interrupted, and may have been completed by a run that was killed before it could record so.
 * @param retried an earlier attempt at this very statement is on record
 */
export async function leftBehind(run: Run, statement: PlannedStatement, retried: boolean): Promise<Verdict> {
  const node = nodeOf(statement);
  if (node["IndexStmt"]) return indexLeftBehind(run, node["IndexStmt"], retried);
  if (!retried) return "run";
  const known = (sql: string, ...values: string[]) => exists(run, sql, values);
  const { DropStmt, ReindexStmt, CreatedbStmt, DropdbStmt, CreateTableSpaceStmt, DropTableSpaceStmt } = node;
  if (ReindexStmt) return reindexLeftBehind(run, ReindexStmt);
  if (DropStmt) {
    for (const item of DropStmt.objects ?? []) {
      const parts: string[] = item.List.items.map((part: Nodes) => part["String"].sval);
      if ((await findRelation(run.session, qualified(parts))) !== undefined) return "run";
    }
    return "complete";
  }
  if (CreatedbStmt)
    return done(await known("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1) AS yes", CreatedbStmt.dbname));
  if (DropdbStmt)
    return done(!(await known("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1) AS yes", DropdbStmt.dbname)));
  const space = "SELECT EXISTS (SELECT FROM pg_tablespace WHERE spcname = $1) AS yes";
  if (CreateTableSpaceStmt) return done(await known(space, CreateTableSpaceStmt.tablespacename));
  if (DropTableSpaceStmt) return done(!(await known(space, DropTableSpaceStmt.tablespacename)));
  const subscription =
    "SELECT EXISTS (SELECT FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE subname = $1 AND datname = current_database()) AS yes";
  if (node["CreateSubscriptionStmt"]) return done(await known(subscription, node["CreateSubscriptionStmt"].subname));
  if (node["DropSubscriptionStmt"]) return done(!(await known(subscription, node["DropSubscriptionStmt"].subname)));
  if (node["AlterTableStmt"]) return detachLeftBehind(run, node["AlterTableStmt"]);
  // VACUUM, ALTER SYSTEM, CLUSTER, …: doing it twice is doing it once. CALL and DO that commit: documented to be repeatable.
  return "run";
}

function done(complete: boolean): Verdict {
  return complete ? "complete" : "run";
}

export function nodeOf({ text }: Pick<PlannedStatement, "text">): Nodes {
  const [parsed] = [...parseScript(text)] as ParsedStatement[];
  return (parsed?.node ?? {}) as Nodes;
}

export function qualified(parts: readonly string[]): string {
  return parts.map((part) => `"${part.replaceAll('"', '""')}"`).join(".");
}

export function relationName({ schemaname, relname }: RangeVar): string {
  return qualified(schemaname === undefined ? [relname] : [schemaname, relname]);
}

async function exists(run: Run, sql: string, values: string[]): Promise<boolean> {
  const [row] = await ownRows<{ yes: boolean }>(run.session, sql, values);
  return row!.yes;
}

/** An interrupted DETACH … CONCURRENTLY leaves the partition half detached, to be finished by FINALIZE. */
async function detachLeftBehind(run: Run, { relation, cmds }: { relation: RangeVar; cmds: Nodes[] }): Promise<Verdict> {
  const child: RangeVar | undefined = cmds[0]?.["AlterTableCmd"]?.def?.PartitionCmd?.name;
  if (!child) return "run";
  const parent = await findRelation(run.session, relationName(relation));
  const [row] = await ownRows<{ pending: boolean }>(
    run.session,
    "SELECT inhdetachpending AS pending FROM pg_inherits WHERE inhparent = $1 AND inhrelid = $2",
    [parent, await findRelation(run.session, relationName(child))],
  );
  if (!row) return "complete";
  return row.pending
    ? { instead: `ALTER TABLE ${relationName(relation)} DETACH PARTITION ${relationName(child)} FINALIZE` }
    : "run";
}
