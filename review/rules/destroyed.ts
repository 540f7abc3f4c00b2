import type { Node } from "libpg-query";
import { isAlways } from "../../migrations/batches/few-rows";
import { emptiedBy } from "../../migrations/schema/truncate";
import { columnType, narrows, typeText } from "../../migrations/sql/column-type";
import { identifier, keyOf, type Name, nameOf, nameOfParts } from "../../migrations/sql/identifier";
import { alterCommands } from "../../migrations/sql/tokens";
import type { FindingClass } from "../../settings/finding-classes";
import { contractMark } from "../safe/words";
import { type Context, columnText, type JudgedStatement, tableText, target } from "./context";

const gone = "What is dropped can only be had back from a snapshot.";
const oldPods =
  "Pods of the old version fail as soon as they use it, until the rollout is complete; so does a rollback of the app.";
const newPods = "A rollback of the app to the version before fails.";

/** What a statement throws away: columns, tables, rows, types. */
export function judgeDestroyed(statement: JudgedStatement, context: Context): void {
  const { node } = statement;
  if ("AlterTableStmt" in node) dropColumns(statement, node.AlterTableStmt, context);
  else if ("DropStmt" in node) drop(statement, node.DropStmt, context);
  else if ("DropdbStmt" in node) {
    const name = node.DropdbStmt.dbname ?? "";
    report(
      statement,
      context,
      "drop-database",
      name,
      `It drops the database ${identifier(name)} with everything in it.`,
      "Everybody who uses it.",
    );
  } else if ("TruncateStmt" in node) {
    const named = new Set(
      (node.TruncateStmt.relations ?? []).map((item) => ("RangeVar" in item ? keyOf(nameOf(item.RangeVar)) : "")),
    );
    for (const name of emptiedBy(node.TruncateStmt, context.schema)) {
      context.emptied.add(keyOf(name));
      // A partition of a table that is named needs no word of its own.
      if (named.has(context.table(name)?.parent ?? "")) named.add(keyOf(name));
      if (context.isNew(name) || named.has(context.table(name)?.parent ?? "")) continue;
      const by = named.has(keyOf(name)) ? "" : ", which points to what is named, by CASCADE";
      report(
        statement,
        context,
        "delete-all",
        target(name),
        `It throws away all rows of ${tableText(name)}${by}.`,
        "Everybody who reads them.",
      );
    }
  } else if ("DeleteStmt" in node && node.DeleteStmt.relation) {
    const name = nameOf(node.DeleteStmt.relation);
    if (context.isNew(name)) return;
    const all = isAlways(node.DeleteStmt.whereClause);
    if (all) context.emptied.add(keyOf(name));
    const what = `It deletes ${all ? "all rows" : "the rows that match"} of ${tableText(name)}${cascades(name, context)}.`;
    report(
      statement,
      context,
      all ? "delete-all" : "delete-rows",
      target(name),
      what,
      "Everybody who reads them.",
      all ? "error" : "warning",
    );
  } else if ("MergeStmt" in node && node.MergeStmt.relation && mergeDeletes(node.MergeStmt.mergeWhenClauses)) {
    const name = nameOf(node.MergeStmt.relation);
    if (context.isNew(name)) return;
    const what = `It deletes rows of ${tableText(name)} in a branch of MERGE${cascades(name, context)}.`;
    report(statement, context, "delete-rows", target(name), what, "Everybody who reads them.", "warning");
  }
}

/** Whether a MERGE deletes rows in one of its branches. */
function mergeDeletes(clauses: readonly Node[] | undefined): boolean {
  return (clauses ?? []).some((item) => "MergeWhenClause" in item && item.MergeWhenClause.commandType === "CMD_DELETE");
}

function report(
  statement: JudgedStatement,
  context: Context,
  rule: string,
  about: string,
  what: string,
  who: string,
  severity: "error" | "warning" = "error",
): void {
  context.report(
    { rule, classes: ["destructive"], severity, target: about, what, who, howLong: "for good", irreversible: gone },
    statement,
  );
}

/** Foreign keys may delete more than what the statement names. */
function cascades(name: Name, context: Context): string {
  const others = context.schema.referencing(keyOf(name)).map((table) => tableText(table.name));
  return others.length > 0 ? `; foreign keys of ${others.join(", ")} may delete rows there or refuse` : "";
}

const words = {
  check: "check",
  unique: "unique constraint",
  primary: "primary key",
  foreign: "foreign key",
  exclude: "exclusion constraint",
  "not null": "NOT NULL constraint",
};

function dropColumns(
  statement: JudgedStatement,
  alter: Extract<Node, { AlterTableStmt: unknown }>["AlterTableStmt"],
  context: Context,
): void {
  const name = alter.relation && nameOf(alter.relation);
  if (!name || context.isNew(name)) return;
  const { head, commands } = alterCommands(statement.text);
  for (const [index, item] of (alter.cmds ?? []).entries()) {
    if (!("AlterTableCmd" in item)) continue;
    const cmd = item.AlterTableCmd;
    const column = cmd.name ?? "";
    const table = context.table(name);
    if (cmd.subtype === "AT_DropColumn") {
      if (cmd.missing_ok && table?.known && !table.columns.has(column)) continue;
      const { contract } = context.plan;
      context.report(
        {
          rule: "drop-column",
          classes: ["destructive", ...old(context)],
          severity: "error",
          target: target(name, column),
          what: `It drops the column ${columnText(name, column)} and what it holds.`,
          who: contract ? newPods : oldPods,
          howLong: "for good",
          irreversible: gone,
          ...(!contract && {
            safe: {
              migrations: [`${contractMark}${head} ${commands[index]};`],
              note: "Released with, or after, the version that no longer uses it: it then runs when no old pod is left.",
            },
          }),
        },
        statement,
      );
    } else if (cmd.subtype === "AT_AlterColumnType" && cmd.def && "ColumnDef" in cmd.def) {
      const from = table?.columns.get(column)?.type;
      const to = columnType(cmd.def.ColumnDef.typeName);
      // The enums that Prisma exchanges are judged as such.
      if (
        !narrows(from, to) ||
        (to && context.schema.enums.has(to.name) && from && context.schema.enums.has(from.name))
      )
        continue;
      const known = from !== undefined;
      context.report(
        {
          rule: "narrow-type",
          classes: ["destructive", "failing", ...old(context)],
          severity: known ? "error" : "warning",
          target: target(name, column),
          what: `It turns ${columnText(name, column)} from ${typeText(from)} into ${typeText(to)}, which may not hold every value that is there${known ? "" : " (the old type isn't known from the history)"}.`,
          who: context.plan.contract
            ? "The migration fails at such a value, or cuts it."
            : "The migration fails at such a value, or cuts it; pods of the old version fail when they write one.",
          howLong: "for good",
          irreversible: "What was cut can't be had back.",
        },
        statement,
      );
    } else if (cmd.subtype === "AT_DropConstraint") {
      const constraint = table?.constraints.find((candidate) => candidate.name === column);
      // NOT NULL says the same.
      const [proven] = constraint?.onlyNotNull ? (constraint.notNullOf ?? []) : [];
      if (proven !== undefined && table?.columns.get(proven)?.notNull) continue;
      context.report(
        {
          rule: "drop-constraint",
          classes: ["destructive"],
          severity: "info",
          target: target(name, column),
          what: `It drops the ${constraint ? words[constraint.kind] : "constraint"} ${identifier(column)}, so rows that break it can come in.`,
          who: "Whoever relies on it.",
          howLong: "until it is added again, for which the rows must be clean",
        },
        statement,
      );
    } else if (cmd.subtype === "AT_SetUnLogged") {
      context.report(
        {
          rule: "set-unlogged",
          classes: ["destructive"],
          severity: "error",
          target: target(name),
          what: `It makes ${tableText(name)} unlogged: a crash of the server empties it, and replicas and snapshots don't have its rows.`,
          who: "Everybody who reads them.",
          howLong: "for as long as it is so",
        },
        statement,
      );
    }
  }
}

function old(context: Context): FindingClass[] {
  return context.plan.contract ? [] : ["incompatible"];
}

const dropped: Record<string, [rule: string, what: string]> = {
  OBJECT_TABLE: ["drop-table", "table"],
  OBJECT_MATVIEW: ["drop-view", "materialized view"],
  OBJECT_VIEW: ["drop-view", "view"],
  OBJECT_FOREIGN_TABLE: ["drop-view", "foreign table"],
  OBJECT_SCHEMA: ["drop-schema", "schema"],
  OBJECT_SEQUENCE: ["drop-sequence", "sequence"],
  OBJECT_FUNCTION: ["drop-function", "function"],
  OBJECT_PROCEDURE: ["drop-function", "procedure"],
  OBJECT_AGGREGATE: ["drop-function", "aggregate"],
  OBJECT_ROUTINE: ["drop-function", "routine"],
  OBJECT_EXTENSION: ["drop-extension", "extension"],
  OBJECT_TYPE: ["drop-type", "type"],
  OBJECT_DOMAIN: ["drop-type", "type"],
};

function drop(
  statement: JudgedStatement,
  { removeType, objects, behavior, missing_ok }: Extract<Node, { DropStmt: unknown }>["DropStmt"],
  context: Context,
): void {
  const [rule, word] = dropped[removeType ?? ""] ?? [];
  if (rule === undefined || word === undefined) return;
  const cascade = behavior === "DROP_CASCADE";
  for (const object of objects ?? []) {
    const name = nameOfParts(object);
    const table = context.table(name);
    if (!table && context.isNewObject(name)) continue;
    if ((rule === "drop-view" || rule === "drop-function") && context.remade.has(keyOf(name))) continue;
    const holds = removeType === "OBJECT_TABLE" || removeType === "OBJECT_SCHEMA" || removeType === "OBJECT_EXTENSION";
    if (
      (table && context.isNew(name)) ||
      (missing_ok &&
        holds &&
        removeType === "OBJECT_TABLE" &&
        !table &&
        context.schema.tables.size > 0 &&
        isOwn(name, context))
    )
      continue;
    const users =
      removeType === "OBJECT_TYPE" || removeType === "OBJECT_DOMAIN" ? context.schema.using(keyOf(name)) : [];
    const columns = users.map(({ table: of, column }) => columnText(of.name, column.name));
    // A type that no column has, and that Prisma's exchange of enums leaves behind, is no loss.
    if (rule === "drop-type" && !(cascade && columns.length > 0)) continue;
    // Pods don't call the functions of triggers.
    if (rule === "drop-function" && context.schema.triggerFunctions.has(keyOf(name))) continue;
    const destroys = holds || columns.length > 0;
    const lost =
      columns.length > 0
        ? `, and with CASCADE the columns ${columns.join(", ")}`
        : cascade && destroys
          ? ", and with CASCADE all that depends on it"
          : "";
    const { contract } = context.plan;
    if (!destroys && contract) continue;
    context.report(
      {
        rule,
        classes: [...(destroys ? (["destructive"] as const) : []), ...old(context)],
        // The default that used a sequence is judged by itself.
        severity: destroys ? "error" : rule === "drop-sequence" ? "info" : "warning",
        target: keyOf(name),
        what: `It drops the ${word} ${tableText(name)}${destroys ? ` and what it holds${lost}` : ""}.`,
        who: contract ? newPods : oldPods,
        howLong: destroys ? "for good" : "until it is made again",
        ...(destroys && { irreversible: gone }),
        ...(!contract && {
          safe: {
            migrations: [`${contractMark}${statement.text};`],
            note: "Released with, or after, the version that no longer uses it: it then runs when no old pod is left.",
          },
        }),
      },
      statement,
    );
  }
}

/** IF EXISTS of a table that the history never made, in a schema that the history makes: it isn't there. */
function isOwn(name: Name, context: Context): boolean {
  return (
    name.schema === undefined &&
    [...context.schema.tables.values()].every(({ known, kind }) => known || kind !== "table")
  );
}
