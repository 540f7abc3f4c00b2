import type { Node } from "libpg-query";

const objects: Record<string, string> = {
  OBJECT_MATVIEW: "MATERIALIZED VIEW",
  OBJECT_FOREIGN_TABLE: "FOREIGN TABLE",
  OBJECT_TABCONSTRAINT: "CONSTRAINT",
  OBJECT_DOMCONSTRAINT: "DOMAIN CONSTRAINT",
};

const kinds: Record<string, string> = {
  CreateStmt: "CREATE TABLE",
  CreateEnumStmt: "CREATE TYPE",
  CompositeTypeStmt: "CREATE TYPE",
  CreateRangeStmt: "CREATE TYPE",
  CreateDomainStmt: "CREATE DOMAIN",
  CreateSeqStmt: "CREATE SEQUENCE",
  CreateTrigStmt: "CREATE TRIGGER",
  CreateFunctionStmt: "CREATE FUNCTION",
  CreatePLangStmt: "CREATE LANGUAGE",
  CreatedbStmt: "CREATE DATABASE",
  DropdbStmt: "DROP DATABASE",
  CreateTableSpaceStmt: "CREATE TABLESPACE",
  DropTableSpaceStmt: "DROP TABLESPACE",
  CreateStatsStmt: "CREATE STATISTICS",
  ViewStmt: "CREATE VIEW",
  RuleStmt: "CREATE RULE",
  AlterSeqStmt: "ALTER SEQUENCE",
  AlterEnumStmt: "ALTER TYPE",
  AlterSystemStmt: "ALTER SYSTEM",
  AlterOwnerStmt: "ALTER OWNER",
  RefreshMatViewStmt: "REFRESH MATERIALIZED VIEW",
  VariableSetStmt: "SET",
  VariableShowStmt: "SHOW",
  DoStmt: "DO",
  SelectStmt: "SELECT",
  InsertStmt: "INSERT",
  UpdateStmt: "UPDATE",
  DeleteStmt: "DELETE",
  MergeStmt: "MERGE",
  TruncateStmt: "TRUNCATE",
  LockStmt: "LOCK TABLE",
  CommentStmt: "COMMENT",
  CallStmt: "CALL",
  CopyStmt: "COPY",
  ClusterStmt: "CLUSTER",
  CheckPointStmt: "CHECKPOINT",
  DiscardStmt: "DISCARD",
};

/** What a statement is, as a person would call it: `CREATE INDEX CONCURRENTLY`, `ALTER TABLE`. */
export function kindOf(node: Node): string {
  if ("IndexStmt" in node)
    return `CREATE ${node.IndexStmt.unique ? "UNIQUE " : ""}INDEX${node.IndexStmt.concurrent ? " CONCURRENTLY" : ""}`;
  if ("DropStmt" in node)
    return `DROP ${objectName(node.DropStmt.removeType)}${node.DropStmt.concurrent ? " CONCURRENTLY" : ""}`;
  if ("AlterTableStmt" in node) return `ALTER ${objectName(node.AlterTableStmt.objtype)}`;
  if ("RenameStmt" in node) {
    const { renameType, relationType } = node.RenameStmt;
    const inside = ["OBJECT_COLUMN", "OBJECT_TABCONSTRAINT", "OBJECT_ATTRIBUTE"].includes(renameType ?? "");
    return `ALTER ${objectName(inside ? relationType : renameType)}`;
  }
  if ("AlterObjectSchemaStmt" in node) return `ALTER ${objectName(node.AlterObjectSchemaStmt.objectType)}`;
  if ("CreateTableAsStmt" in node)
    return node.CreateTableAsStmt.objtype === "OBJECT_MATVIEW" ? "CREATE MATERIALIZED VIEW" : "CREATE TABLE AS";
  if ("TransactionStmt" in node)
    return (node.TransactionStmt.kind ?? "").replace("TRANS_STMT_", "").replaceAll("_", " ");
  if ("VacuumStmt" in node) return node.VacuumStmt.is_vacuumcmd ? "VACUUM" : "ANALYZE";
  if ("GrantStmt" in node) return node.GrantStmt.is_grant ? "GRANT" : "REVOKE";
  if ("ReindexStmt" in node) return "REINDEX";
  const tag = Object.keys(node)[0] ?? "";
  return kinds[tag] ?? words(tag.replace(/Stmt$/, ""));
}

function objectName(type: string | undefined): string {
  return objects[type ?? ""] ?? (type ?? "OBJECT").replace("OBJECT_", "").replaceAll("_", " ");
}

/** `CreateExtension` → `CREATE EXTENSION`. */
function words(tag: string): string {
  return tag.replace(/(?<=[a-z])(?=[A-Z])/g, " ").toUpperCase();
}
