import type { Node, RangeVar } from "libpg-query";
import type { PlannedStatement } from "../../migrations/history/plan";
import { integerOf } from "../../migrations/sql/constant";
import { nodeOf } from "../../migrations/sql/parse";
import type { HistoryTable } from "../records/history-table";

/** A statement of a migration that changes the tables in which the release is recorded. */
export interface BookkeepingChange {
  readonly statement: PlannedStatement;
  /** A description for people, for example `drops _prisma_migrations`. */
  readonly what: string;
}

/** The kinds of statements that change rows of one table, each with the words that describe it to people. */
const ROW_CHANGES = [
  ["DeleteStmt", "deletes rows of"],
  ["UpdateStmt", "changes rows of"],
  ["MergeStmt", "changes rows of"],
] as const;

const PRISMA_COLUMNS = [
  ...["id", "checksum", "finished_at", "migration_name", "logs", "rolled_back_at", "started_at", "applied_steps_count"],
];

/** A quick filter: a migration may have tens of thousands of statements, and few of them are worth parsing again. */
const OF_INTEREST = /^(DROP|ALTER)\s+SCHEMA\b|_prisma_migrations|_release\b|READ\s+ONLY|transaction_read_only/i;

/** Finds the statements whose text changes the history of a schema or the tables of `_release`. */
export function bookkeepingChanges(statements: readonly PlannedStatement[], schema: string): BookkeepingChange[] {
  return statements.flatMap((statement) =>
    OF_INTEREST.test(statement.text) ? changesOf(nodeOf(statement), schema).map((what) => ({ statement, what })) : [],
  );
}

function changesOf(node: Node, schema: string): string[] {
  const isOwn = (parts: readonly string[]) =>
    parts.at(-2) === "_release" ||
    (parts.at(-1) === "_prisma_migrations" && (parts.length === 1 || parts.at(-2) === schema));
  const own = (relation: RangeVar | undefined): string | undefined => {
    const parts = [relation?.schemaname, relation?.relname].filter((part) => part !== undefined);
    return isOwn(parts) ? parts.join(".") : undefined;
  };
  const ownSchema = (name: string | undefined) => name === "_release" || name === schema;

  if ("DropStmt" in node) {
    const { removeType, behavior, objects } = node.DropStmt;
    return namesIn(objects).flatMap((parts) => {
      const name = parts.at(-1);
      if (removeType === "OBJECT_SCHEMA" && ownSchema(name) && (name === "_release" || behavior === "DROP_CASCADE"))
        return [`drops the schema ${name}`];
      return removeType === "OBJECT_TABLE" && isOwn(parts) ? [`drops ${parts.join(".")}`] : [];
    });
  }
  if ("RenameStmt" in node) {
    const { renameType, relation, subname = "" } = node.RenameStmt;
    if (renameType === "OBJECT_SCHEMA" && ownSchema(subname)) return [`renames the schema ${subname}`];
    const name = own(relation);
    if (name !== undefined && renameType === "OBJECT_TABLE") return [`renames ${name}`];
    if (name !== undefined && renameType === "OBJECT_COLUMN" && PRISMA_COLUMNS.includes(subname))
      return [`renames a column of ${name}`];
  }
  if ("AlterObjectSchemaStmt" in node) {
    const name = own(node.AlterObjectSchemaStmt.relation);
    return name === undefined ? [] : [`moves ${name} to another schema`];
  }
  if ("AlterTableStmt" in node) {
    const name = own(node.AlterTableStmt.relation);
    if (name === undefined) return [];
    return (node.AlterTableStmt.cmds ?? []).flatMap((command) => {
      if (!("AlterTableCmd" in command)) return [];
      const { subtype, name: column = "" } = command.AlterTableCmd;
      const changes = subtype === "AT_DropColumn" || subtype === "AT_AlterColumnType";
      return changes && PRISMA_COLUMNS.includes(column) ? [`changes the column ${column} of ${name}`] : [];
    });
  }
  if ("TruncateStmt" in node)
    return (node.TruncateStmt.relations ?? []).flatMap((relation) => {
      const name = "RangeVar" in relation ? own(relation.RangeVar) : undefined;
      return name === undefined ? [] : [`empties ${name}`];
    });
  if (makesReadOnly(node)) return ["makes the transaction read-only"];
  for (const [kind, what] of ROW_CHANGES) {
    const statement = Object.entries(node).find(([key]) => key === kind)?.[1] as { relation?: RangeVar } | undefined;
    const name = own(statement?.relation);
    if (name !== undefined) return [`${what} ${name}`];
  }
  return [];
}

/**
 * Returns true if a statement makes its transaction read-only: `SET TRANSACTION READ ONLY`, `BEGIN READ ONLY`,
 * `SET transaction_read_only = on`.
 */
function makesReadOnly(node: Node): boolean {
  if ("VariableSetStmt" in node && node.VariableSetStmt.name === "transaction_read_only") {
    const [value] = node.VariableSetStmt.args ?? [];
    const { sval, ival } = value && "A_Const" in value ? value.A_Const : {};
    return /^(on|t(rue)?|y(es)?|1)$/i.test(sval?.sval ?? String(ival?.ival));
  }
  const options =
    "TransactionStmt" in node
      ? node.TransactionStmt.options
      : "VariableSetStmt" in node && node.VariableSetStmt.name === "TRANSACTION"
        ? node.VariableSetStmt.args
        : undefined;
  return (options ?? []).some(
    (option) =>
      "DefElem" in option && option.DefElem.defname === "transaction_read_only" && integerOf(option.DefElem.arg) === 1,
  );
}

function namesIn(objects: readonly Node[] | undefined): string[][] {
  const text = (node: Node) => ("String" in node ? [node.String.sval ?? ""] : []);
  return (objects ?? []).map((node) => ("List" in node ? (node.List.items ?? []).flatMap(text) : text(node)));
}

/** Returns true if the text names the migrator's own tables, or runs dynamic SQL (EXECUTE) that may name them. */
export function mayChangeBookkeeping(sql: string): boolean {
  return /_prisma_migrations|_release\b|\bEXECUTE\b/i.test(sql);
}

/** Returns true if a migration may switch to another role. */
export function takesRole(sql: string): boolean {
  return /\b(role|authorization)\b/i.test(sql);
}

/**
 * Returns statements for the beginning and the end of the transaction of a migration that may change the history. The
 * first stores a digest of the history's rows; the second fails with a division by zero if the digest is another one
 * then, so that a migration that empties the history is rolled back. All names in them are written with their schema.
 */
export function guardOf({ name }: HistoryTable, sql: string): { remember: string[]; compare: string[] } {
  if (!mayChangeBookkeeping(sql)) return { remember: [], compare: [] };
  const row = PRISMA_COLUMNS.map((column) => `h.${column}`).join(", ");
  const digest = `(SELECT pg_catalog.md5(COALESCE(pg_catalog.string_agg(ROW(${row})::pg_catalog.text, ',' ORDER BY h.id), '')) FROM ${name} h)`;
  const seen = "pg_catalog.current_setting('release.history', true)";
  return {
    remember: [`SELECT pg_catalog.set_config('release.history', ${digest}, true)`],
    // RESET ALL in the migration deletes the stored digest. Then there is nothing to compare with, and nothing is
    // refused.
    compare: [
      `SELECT 1 OPERATOR(pg_catalog./) (CASE WHEN COALESCE(${seen}, '') OPERATOR(pg_catalog.=) '' OR ${seen} OPERATOR(pg_catalog.=) ${digest} THEN 1 ELSE 0 END)`,
    ],
  };
}
