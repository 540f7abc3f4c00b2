import type { AlterTableCmd, Node } from "libpg-query";
import { emptiedBy } from "../../migrations/schema/truncate";
import { keyOf, type Name, nameOf, nameOfParts } from "../../migrations/sql/identifier";
import { type Context, type JudgedStatement, tableText, target } from "./context";

/** Statements that Postgres refuses whatever the rows are, as far as the history tells. */
export function judgeRefused(statement: JudgedStatement, context: Context): void {
  const { node } = statement;
  if ("CopyStmt" in node && node.CopyStmt.is_from) copy(statement, node.CopyStmt, context);
  else if ("IndexStmt" in node && node.IndexStmt.concurrent && node.IndexStmt.relation) {
    const name = nameOf(node.IndexStmt.relation);
    if (context.table(name)?.partitioned)
      refused(statement, context, {
        rule: "concurrently-partitioned",
        about: target(name, node.IndexStmt.idxname ?? "index"),
        what: `It builds an index CONCURRENTLY on ${tableText(name)}, which is partitioned: Postgres refuses that.`,
        note: "Create the index ON ONLY it, build one on each partition CONCURRENTLY, and attach those (ALTER INDEX … ATTACH PARTITION).",
      });
  } else if ("DropStmt" in node && node.DropStmt.concurrent) {
    for (const object of node.DropStmt.objects ?? []) {
      const index = nameOfParts(object);
      const table = context.schema.tables.get(context.schema.indexes.get(keyOf(index))?.table ?? "");
      if (table?.partitioned)
        refused(statement, context, {
          rule: "concurrently-partitioned",
          about: keyOf(index),
          what: `It drops the index ${tableText(index)} of ${tableText(table.name)}, which is partitioned, CONCURRENTLY: Postgres refuses that.`,
          note: "Without CONCURRENTLY it waits for every query on the table; set a short lock_timeout.",
        });
    }
  } else if ("TruncateStmt" in node && node.TruncateStmt.behavior !== "DROP_CASCADE")
    truncate(statement, node, context);
  else if ("AlterTableStmt" in node && node.AlterTableStmt.relation)
    for (const item of node.AlterTableStmt.cmds ?? [])
      if ("AlterTableCmd" in item) detach(statement, item.AlterTableCmd, nameOf(node.AlterTableStmt.relation), context);
}

interface Refusal {
  readonly rule: string;
  readonly about: string;
  readonly what: string;
  readonly note: string;
  /** Default: error. */
  readonly severity?: "warning";
}

function refused(statement: JudgedStatement, context: Context, { about, note, severity, ...said }: Refusal): void {
  context.report(
    {
      ...said,
      classes: ["failing"],
      severity: severity ?? "error",
      target: about,
      who: "The release stops here.",
      howLong: severity ? "always, where it is refused" : "always",
      safe: { migrations: [], note },
    },
    statement,
  );
}

function copy(
  statement: JudgedStatement,
  { relation, filename, is_program }: Extract<Node, { CopyStmt: unknown }>["CopyStmt"],
  context: Context,
): void {
  const name = relation ? nameOf(relation) : { name: "" };
  if (filename === undefined)
    refused(statement, context, {
      rule: "copy-without-rows",
      about: target(name),
      what: `It copies rows into ${tableText(name)} from its client, and a migration has none to send: what stands below is read as SQL.`,
      note: "Write INSERT … VALUES, or load the rows by a program of its own.",
    });
  else
    refused(statement, context, {
      rule: "copy-from-server",
      about: target(name),
      what: `It copies rows into ${tableText(name)} from ${is_program ? "a program" : "a file"} on the database's own server, which only a role of pg_${is_program ? "execute_server_program" : "read_server_files"} may do; a managed server refuses it.`,
      note: "Write INSERT … VALUES, or load the rows by a program of its own.",
      severity: "warning",
    });
}

/** TRUNCATE without CASCADE, of a table that others point to. */
function truncate(
  statement: JudgedStatement,
  { TruncateStmt }: Extract<Node, { TruncateStmt: unknown }>,
  context: Context,
): void {
  const tables = emptiedBy(TruncateStmt, context.schema);
  const keys = new Set(tables.map((table) => keyOf(table)));
  for (const name of tables)
    for (const other of context.schema.referencing(keyOf(name)))
      if (!keys.has(keyOf(other.name)))
        refused(statement, context, {
          rule: "truncate-referenced",
          about: target(name),
          what: `It empties ${tableText(name)} alone, but a foreign key of ${tableText(other.name)} points to it: Postgres refuses that even if both are empty.`,
          note: `Name ${tableText(other.name)} in the same TRUNCATE, if it is to be emptied too; or DELETE the rows.`,
        });
}

function detach(statement: JudgedStatement, { def }: AlterTableCmd, name: Name, context: Context): void {
  if (!def || !("PartitionCmd" in def) || !def.PartitionCmd.concurrent) return;
  const rest = context.schema.children(keyOf(name)).find((child) => child.isDefault);
  if (rest)
    refused(statement, context, {
      rule: "detach-with-default",
      about: target(name),
      what: `It detaches a partition of ${tableText(name)} CONCURRENTLY, which Postgres refuses as long as there is a default partition (${tableText(rest.name)}).`,
      note: "Detach it without CONCURRENTLY, with a short lock_timeout.",
    });
}
