import type { DefElem, Node } from "libpg-query";
import { parsePlPgSQLSync } from "libpg-query";

/** What a statement does to the transaction it stands in. */
export type TransactionControl = "begin" | "commit" | "rollback" | "savepoint" | "prepare";

const controls: Record<string, TransactionControl> = {
  TRANS_STMT_BEGIN: "begin",
  TRANS_STMT_START: "begin",
  TRANS_STMT_COMMIT: "commit",
  TRANS_STMT_ROLLBACK: "rollback",
  TRANS_STMT_SAVEPOINT: "savepoint",
  TRANS_STMT_RELEASE: "savepoint",
  TRANS_STMT_ROLLBACK_TO: "savepoint",
  TRANS_STMT_PREPARE: "prepare",
};

export function transactionControl(node: Node): TransactionControl | undefined {
  return "TransactionStmt" in node ? controls[node.TransactionStmt.kind ?? ""] : undefined;
}

/**
 * Why Postgres refuses a statement inside a transaction (SQLSTATE 25001, or 2D000 for a DO block), or undefined when it
 * doesn't. Every rule here is confirmed against a running server by test/migrations/transaction.test.ts.
 * What depends on the catalog and not on the text (REINDEX and CLUSTER of a partitioned table) is left to `partitioned`.
 */
export function refusedInTransaction(
  node: Node,
  text: string,
  partitioned: (schema: string | undefined, name: string) => boolean = () => false,
): string | undefined {
  if ("IndexStmt" in node) return node.IndexStmt.concurrent ? "CREATE INDEX CONCURRENTLY" : undefined;
  if ("DropStmt" in node) return node.DropStmt.concurrent ? "DROP INDEX CONCURRENTLY" : undefined;
  if ("ReindexStmt" in node) {
    const { kind, params, relation } = node.ReindexStmt;
    if (isOn(params, "concurrently")) return "REINDEX CONCURRENTLY";
    if (kind !== "REINDEX_OBJECT_INDEX" && kind !== "REINDEX_OBJECT_TABLE") return "REINDEX of more than one table";
    return relation?.relname && partitioned(relation.schemaname, relation.relname)
      ? "REINDEX of a partitioned table"
      : undefined;
  }
  if ("VacuumStmt" in node) return node.VacuumStmt.is_vacuumcmd ? "VACUUM" : undefined;
  if ("ClusterStmt" in node) {
    const { relation } = node.ClusterStmt;
    if (!relation?.relname) return "CLUSTER without a table";
    return partitioned(relation.schemaname, relation.relname) ? "CLUSTER of a partitioned table" : undefined;
  }
  if ("AlterTableStmt" in node) {
    const detached = node.AlterTableStmt.cmds?.some(
      (cmd) =>
        "AlterTableCmd" in cmd &&
        cmd.AlterTableCmd.subtype === "AT_DetachPartition" &&
        cmd.AlterTableCmd.def !== undefined &&
        "PartitionCmd" in cmd.AlterTableCmd.def &&
        cmd.AlterTableCmd.def.PartitionCmd.concurrent,
    );
    return detached ? "DETACH PARTITION CONCURRENTLY" : undefined;
  }
  if ("AlterSystemStmt" in node) return "ALTER SYSTEM";
  if ("CreatedbStmt" in node) return "CREATE DATABASE";
  if ("DropdbStmt" in node) return "DROP DATABASE";
  if ("AlterDatabaseStmt" in node)
    return has(node.AlterDatabaseStmt.options, "tablespace") ? "ALTER DATABASE SET TABLESPACE" : undefined;
  if ("CreateTableSpaceStmt" in node) return "CREATE TABLESPACE";
  if ("DropTableSpaceStmt" in node) return "DROP TABLESPACE";
  if ("DiscardStmt" in node) return node.DiscardStmt.target === "DISCARD_ALL" ? "DISCARD ALL" : undefined;
  if ("TransactionStmt" in node) {
    const { kind } = node.TransactionStmt;
    if (kind === "TRANS_STMT_COMMIT_PREPARED") return "COMMIT PREPARED";
    if (kind === "TRANS_STMT_ROLLBACK_PREPARED") return "ROLLBACK PREPARED";
    return undefined;
  }
  if ("DoStmt" in node) return commitsInside(text) ? "DO with COMMIT or ROLLBACK inside" : undefined;
  return subscription(node);
}

function subscription(node: Node): string | undefined {
  if ("CreateSubscriptionStmt" in node) {
    const { options } = node.CreateSubscriptionStmt;
    const slot = has(options, "create_slot") ? isOn(options, "create_slot") : !isOff(options, "connect");
    return slot ? "CREATE SUBSCRIPTION with a replication slot" : undefined;
  }
  if ("DropSubscriptionStmt" in node) return "DROP SUBSCRIPTION with a replication slot";
  if ("AlterSubscriptionStmt" in node) {
    const { kind, options } = node.AlterSubscriptionStmt;
    if (kind?.includes("_REFRESH")) return "ALTER SUBSCRIPTION REFRESH PUBLICATION";
    const sets = ["SET_PUBLICATION", "ADD_PUBLICATION", "DROP_PUBLICATION"].some((verb) => kind?.endsWith(verb));
    return sets && !isOff(options, "refresh") ? "ALTER SUBSCRIPTION with refresh" : undefined;
  }
  return undefined;
}

/** A DO block may end transactions itself, but only when it isn't inside one. */
function commitsInside(text: string): boolean {
  if (!/\b(commit|rollback)\b/i.test(text)) return false;
  try {
    return /"PLpgSQL_stmt_(commit|rollback)"/.test(JSON.stringify(parsePlPgSQLSync(text)));
  } catch {
    return false; // another language: it can't be known
  }
}

function option(options: readonly Node[] | undefined, name: string): DefElem | undefined {
  for (const item of options ?? []) if ("DefElem" in item && item.DefElem.defname === name) return item.DefElem;
  return undefined;
}

function has(options: readonly Node[] | undefined, name: string): boolean {
  return option(options, name) !== undefined;
}

function settingOf(element: DefElem | undefined): string | undefined {
  const arg = element?.arg;
  if (!arg) return undefined;
  if ("String" in arg) return arg.String.sval?.toLowerCase();
  if ("Boolean" in arg) return String(arg.Boolean.boolval ?? false);
  if ("Integer" in arg) return String(arg.Integer.ival ?? 0);
  return undefined;
}

/** An option without a value is on. */
function isOn(options: readonly Node[] | undefined, name: string): boolean {
  return has(options, name) && !isOff(options, name);
}

function isOff(options: readonly Node[] | undefined, name: string): boolean {
  return ["false", "off", "0", "no"].includes(settingOf(option(options, name)) ?? "");
}
