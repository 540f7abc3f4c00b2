import type { Node } from "libpg-query";
import { batchDoubt } from "../../migrations/batches/batch";
import { isAlways, namesItsRows } from "../../migrations/batches/few-rows";
import type { TableEffect } from "../../migrations/schema/effect";
import { keyOf, type Name, nameOf, nameOfParts, nameText } from "../../migrations/sql/identifier";
import { blockedBy } from "../../migrations/sql/locks";
import { unblock } from "../safe/unblock";
import { batched } from "../safe/words";
import { type Band, bandOf, longer } from "../size";
import { type Context, type JudgedStatement, severityOf, tableText, target } from "./context";
import { isCatalog } from "./system-tables";

const verbs = {
  none: "",
  rows: "changes rows of",
  scan: "reads every row of",
  index: "builds an index on",
  rewrite: "writes every row anew of",
};

/** Statements that keep the app waiting while they work through a table. */
export function judgeBlocking(statement: JudgedStatement, context: Context): void {
  const { effect, node } = statement;
  const old = effect.tables.filter(({ name }) => !context.isNew(name));
  const working = old.filter(({ work }) => work !== "none" && work !== "rows");
  const blocked = old.filter(({ lock }) => blockedBy(lock) !== "nothing");
  const heaviest = heaviestOf(working, context);
  if (heaviest && blocked.length > 0) {
    const { band, table } = heaviest;
    const assumed = table.uncertain ? " It is assumed: the history doesn't tell what was there before." : "";
    context.report(
      {
        rule: ruleOf(node, table),
        classes: ["blocking"],
        severity: severityOf(band),
        target: targetOf(statement, table.name),
        what: `It ${verbs[table.work]} ${tableText(table.name)} under a lock of mode ${table.lock}${table.because ? `: ${table.because}` : ""}.${assumed}`,
        who: waiting(blocked),
        howLong: context.duration(band, table.name),
        safe: unblock(statement, table, context),
      },
      statement,
    );
  } else if ("DropStmt" in node && node.DropStmt.removeType === "OBJECT_INDEX" && !node.DropStmt.concurrent)
    dropIndex(statement, context);
  judgeRows(statement, context);
}

/** Finds the table on which the statement works for the longest; undefined where it works on none. */
export function heaviestOf(
  working: readonly TableEffect[],
  context: Context,
): { band: Band; table: TableEffect } | undefined {
  let found: { band: Band; table: TableEffect } | undefined;
  for (const table of working) {
    const band = bandOf(table.work, context.size(table.name));
    if (!found || longer(band, found.band) !== found.band) found = { band, table };
  }
  return found;
}

/** `Reads and writes of "User" and writes of "Post" wait.` */
export function waiting(blocked: readonly TableEffect[]): string {
  const parts = (["reads and writes", "writes"] as const).flatMap((what) => {
    const tables = blocked.filter(({ lock }) => blockedBy(lock) === what).map(({ name }) => tableText(name));
    return tables.length > 0 ? [`${what} of ${tables.join(", ")}`] : [];
  });
  const text = parts.join(" and ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)} wait.`;
}

function ruleOf(node: Node, table: TableEffect): string {
  if ("IndexStmt" in node) return "index-blocks-writes";
  if ("ReindexStmt" in node) return "reindex-blocks";
  if ("RefreshMatViewStmt" in node) return "refresh-blocks-reads";
  if ("VacuumStmt" in node || "ClusterStmt" in node) return "rewrite-blocks";
  return table.work === "rewrite" ? "rewrite-blocks" : table.work === "index" ? "index-under-lock" : "scan-under-lock";
}

/** The column or object where one is meant, else the table. */
function targetOf({ node }: JudgedStatement, table: Name): string {
  if ("IndexStmt" in node) return target(table, node.IndexStmt.idxname ?? "index");
  if (!("AlterTableStmt" in node)) return target(table);
  const names = (node.AlterTableStmt.cmds ?? []).flatMap((item) => {
    if (!("AlterTableCmd" in item)) return [];
    const { name, def } = item.AlterTableCmd;
    if (name !== undefined) return [name];
    if (def && "ColumnDef" in def) return [def.ColumnDef.colname ?? ""];
    return def && "Constraint" in def && def.Constraint.conname !== undefined ? [def.Constraint.conname] : [];
  });
  return names.length === 1 ? target(table, names[0]) : target(table);
}

function dropIndex(statement: JudgedStatement, context: Context): void {
  if (!("DropStmt" in statement.node)) return;
  const names = (statement.node.DropStmt.objects ?? []).map((object) => nameOfParts(object));
  const known = names.filter((name) => context.schema.indexes.has(keyOf(name)));
  const tables = known.map((name) => context.schema.indexes.get(keyOf(name))?.table ?? "");
  if (known.length > 0 && tables.every((table) => context.isNew({ name: table }))) return;
  const exists = statement.node.DropStmt.missing_ok ? "IF EXISTS " : "";
  context.report(
    {
      rule: "drop-index-locks",
      classes: ["blocking"],
      severity: "info",
      target: names.map((name) => keyOf(name)).join(", "),
      what: "It waits for every query on the table, and what comes after it waits behind it.",
      who: waiting(statement.effect.tables) || "Reads and writes of the table wait.",
      howLong: "a moment, once the lock is got",
      safe: {
        migrations: names.map((name) => `DROP INDEX CONCURRENTLY ${exists}${nameText(name)};`),
        note: "In a migration of its own: it can't stand in a transaction.",
      },
    },
    statement,
  );
}

/** Rows that are changed all in one transaction. */
function judgeRows(statement: JudgedStatement, context: Context): void {
  const { node, text, effect, directives } = statement;
  // The Prisma CLI takes the directive for a comment.
  if (context.runner === "migrator" && directives?.some(({ name }) => name === "batch")) return;
  const change =
    "UpdateStmt" in node
      ? node.UpdateStmt
      : "DeleteStmt" in node
        ? node.DeleteStmt
        : "InsertStmt" in node
          ? node.InsertStmt
          : "MergeStmt" in node
            ? node.MergeStmt
            : undefined;
  const changed = effect.tables.find(({ work }) => work === "rows");
  if (!change?.relation || !changed) return;
  const name = nameOf(change.relation);
  // INSERT … SELECT grows with what it reads.
  const sources =
    "InsertStmt" in node ? effect.tables.filter(({ work }) => work === "none").map((table) => table.name) : [name];
  const source = sources.find((table) => !context.isNew(table));
  if (!source || namesItsRows(node, context.schema) || isCatalog(name, context)) return;
  const band = bandOf("rows", context.size(source));
  if (band === "a moment") return;
  const bounded = "whereClause" in change && !isAlways(change.whereClause);
  const overwrites = "UpdateStmt" in node && !fillsNulls(node.UpdateStmt.whereClause);
  context.report(
    {
      rule: "many-rows",
      classes: ["blocking"],
      severity: severityOf(band),
      target: target(name),
      what: `It ${"InsertStmt" in node ? "copies" : "changes"} ${bounded ? "the rows that match" : "all rows"} in one transaction${"InsertStmt" in node ? "" : ", and keeps each locked until its end"}.`,
      who:
        "InsertStmt" in node
          ? `Nobody waits for ${tableText(name)}, but replicas fall behind and vacuum stands still.`
          : `Writes to the same rows of ${tableText(name)} wait; replicas fall behind and vacuum stands still.`,
      howLong: context.duration(band, source),
      ...(overwrites && { irreversible: "The values that it overwrites can only be had back from a snapshot." }),
      ...(context.runner === "migrator" &&
        batchDoubt(node, "", context.schema) === undefined && {
          safe: {
            migrations: [batched(`${text};`, source, context.schema)],
            note: "Run a range of keys at a time, with a commit and a pause after each.",
          },
        }),
    },
    statement,
  );
}

/** `WHERE column IS NULL`: nothing but NULLs is overwritten. */
function fillsNulls(where: Node | undefined): boolean {
  if (!where) return false;
  if ("BoolExpr" in where) return where.BoolExpr.boolop === "AND_EXPR" && (where.BoolExpr.args ?? []).some(fillsNulls);
  return "NullTest" in where && where.NullTest.nulltesttype === "IS_NULL";
}
