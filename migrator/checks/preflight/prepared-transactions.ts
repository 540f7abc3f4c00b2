import type { MigrationPlan } from "../../../migrations/history/plan";
import type { Session } from "../../db/connection";
import { each, type Impossible, type Place } from "./impossible";

/** A transaction that is prepared on the server. */
interface Prepared {
  gid: string;
  owner: string;
  mayEnd: boolean;
}

/**
 * Finds statements about prepared transactions that fail or do harm. If nobody ends a prepared transaction, its rows
 * stay invisible and its locks held; one that doesn't exist can't be ended; and most servers allow none
 * (max_prepared_transactions is 0 by default).
 */
export async function preparedTransactions(session: Session, plans: readonly MigrationPlan[]): Promise<Impossible[]> {
  const begun = new Map<string, Impossible>();
  const made: Place[] = [];
  const ended: (Place & { gid: string })[] = [];
  each(plans, (node, at) => {
    if (!("TransactionStmt" in node)) return;
    const { kind, gid = "" } = node.TransactionStmt;
    if (kind === "TRANS_STMT_PREPARE") {
      made.push(at);
      begun.set(gid, {
        ...at,
        why: "it prepares a transaction that no migration ends: its rows stay invisible, its locks held",
      });
    }
    const ends = kind === "TRANS_STMT_COMMIT_PREPARED" || kind === "TRANS_STMT_ROLLBACK_PREPARED";
    if (ends && !begun.delete(gid)) ended.push({ ...at, gid });
  });
  const found = [...begun.values()];
  if (made.length > 0) {
    const [limit] = await session.rows<{ none: boolean }>(
      "SELECT current_setting('max_prepared_transactions') = '0' AS none",
    );
    if (limit?.none)
      for (const at of made)
        found.push({ ...at, why: "this server allows no prepared transactions (max_prepared_transactions is 0)" });
  }
  if (ended.length === 0) return found;
  const there = await session.rows<Prepared>(
    `SELECT gid, owner, owner = current_user OR coalesce((SELECT rolsuper FROM pg_roles WHERE rolname = current_user), false) AS "mayEnd"
     FROM pg_prepared_xacts WHERE database = current_database()`,
  );
  for (const { gid, ...at } of ended) {
    const prepared = there.find((each) => each.gid === gid);
    if (!prepared) found.push({ ...at, why: "it ends a prepared transaction that this database hasn't" });
    else if (!prepared.mayEnd)
      found.push({ ...at, why: `it ends a prepared transaction that only ${prepared.owner} or a superuser may end` });
  }
  return found;
}
