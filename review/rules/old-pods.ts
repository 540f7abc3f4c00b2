import type { AlterTableCmd, Node } from "libpg-query";
import { defineColumn } from "../../migrations/schema/definition";
import { columnType, folds, narrows, typeText } from "../../migrations/sql/column-type";
import { identifier, keyOf, literal, type Name, nameOf, nameOfParts } from "../../migrations/sql/identifier";
import { alterCommands } from "../../migrations/sql/tokens";
import { renameColumn, renameTable } from "../safe/change";
import { requireLater } from "../safe/column";
import { contractMark } from "../safe/words";
import { type Context, columnText, type JudgedStatement, tableText, target } from "./context";
import { foreignKey, isNewColumn, newConstraint, newNotNull, unique } from "./new-constraints";

const rollout = "until the rollout is complete";

/** What pods of the old version trip over while both versions run; nothing for a contract migration, which runs when they are gone. */
export function judgeOldPods(statement: JudgedStatement, context: Context): void {
  const { node } = statement;
  if ("AlterTableStmt" in node && node.AlterTableStmt.relation) {
    const name = nameOf(node.AlterTableStmt.relation);
    if (context.isNew(name)) return;
    const { commands } = alterCommands(statement.text);
    for (const [index, item] of (node.AlterTableStmt.cmds ?? []).entries())
      if ("AlterTableCmd" in item) command(statement, item.AlterTableCmd, commands[index] ?? "", name, context);
  } else if (context.plan.contract) return;
  else if ("RenameStmt" in node) rename(statement, node.RenameStmt, context);
  else if ("AlterObjectSchemaStmt" in node && node.AlterObjectSchemaStmt.relation) {
    const name = nameOf(node.AlterObjectSchemaStmt.relation);
    const schema = node.AlterObjectSchemaStmt.newschema ?? "";
    if (!context.isNew(name) && !keepsServing(statement, "move-table", name, { schema, name: name.name }, context))
      hazard(
        statement,
        context,
        "move-table",
        target(name),
        `It moves ${tableText(name)} into the schema ${identifier(schema)}.`,
        "Pods of the old version no longer find it.",
        "error",
      );
  } else if ("IndexStmt" in node && node.IndexStmt.unique && node.IndexStmt.relation) {
    const columns = (node.IndexStmt.indexParams ?? []).flatMap((item) =>
      "IndexElem" in item && item.IndexElem.name !== undefined ? [item.IndexElem.name] : [],
    );
    unique(statement, nameOf(node.IndexStmt.relation), columns, node.IndexStmt.idxname ?? "index", context);
  } else if ("AlterEnumStmt" in node) enumValue(statement, node.AlterEnumStmt, context);
}

function hazard(
  statement: JudgedStatement,
  context: Context,
  rule: string,
  about: string,
  what: string,
  who: string,
  severity: "info" | "warning" | "error",
  migrations?: string[],
  note?: string,
): void {
  const safe = migrations && { safe: { migrations, ...(note !== undefined && { note }) } };
  context.report(
    { rule, classes: ["incompatible"], severity, target: about, what, who, howLong: rollout, ...safe },
    statement,
  );
}

function command(statement: JudgedStatement, cmd: AlterTableCmd, text: string, name: Name, context: Context): void {
  const column = cmd.name ?? "";
  const table = context.table(name);
  const before = table?.columns.get(column);
  const { contract } = context.plan;
  if (cmd.subtype === "AT_AddColumn" && cmd.def && "ColumnDef" in cmd.def) {
    const defined = defineColumn(cmd.def.ColumnDef, name.name, context.schema);
    const type = defined.column.type?.name ?? "";
    if (context.schema.requiredDomains.has(type) && !defined.column.filled) {
      requiredDomain(statement, name, defined.column.name, type, context);
      return;
    }
    if (!defined.column.notNull || defined.column.filled) return;
    const rows = context.size(name)?.rows;
    context.report(
      {
        rule: "required-column",
        classes: ["failing", "incompatible"],
        severity: rows === 0 ? "warning" : "error",
        target: target(name, defined.column.name),
        what: `It adds the required column ${columnText(name, defined.column.name)} without a default${rows === 0 ? "" : ", which fails if the table has a single row"}.`,
        who: "The release stops here if there are rows; if there are none, pods of the old version can insert none.",
        howLong: rollout,
        safe: requireLater(text, defined, name, context.schema),
      },
      statement,
    );
    return;
  }
  if (contract) return;
  switch (cmd.subtype) {
    case "AT_SetNotNull":
      newNotNull(statement, name, column, context);
      break;
    case "AT_DropNotNull":
      if (before?.notNull !== false)
        hazard(
          statement,
          context,
          "nullable",
          target(name, column),
          `It allows NULL in ${columnText(name, column)}.`,
          "Pods of the old version may fail to read a NULL that the new version writes.",
          "info",
        );
      break;
    case "AT_ColumnDefault":
      if (cmd.def === undefined && before?.notNull)
        hazard(
          statement,
          context,
          "drop-default",
          target(name, column),
          `It drops the default of the required column ${columnText(name, column)}.`,
          "Pods of the old version that leave it out can insert nothing.",
          isNewColumn(name, column, context) ? "error" : "warning",
          [`${contractMark}ALTER TABLE ${tableText(name)} ${text};`],
          "The default does no harm until the rollout is complete.",
        );
      break;
    case "AT_AlterColumnType": {
      const to = cmd.def && "ColumnDef" in cmd.def ? columnType(cmd.def.ColumnDef.typeName) : undefined;
      const enums = to && context.schema.enums.has(to.name);
      if (before && !narrows(before.type, to) && !enums && typeText(before.type) !== typeText(to))
        hazard(
          statement,
          context,
          "change-type",
          target(name, column),
          `It turns ${columnText(name, column)} from ${typeText(before.type)} into ${typeText(to)}.`,
          "Pods of the old version may get values that they don't expect; prepared statements fail once.",
          "info",
        );
      if (folds(before?.type, to) && to?.name === "citext")
        for (const { unique: one, columns, name: index } of context.schema.indexesOf(keyOf(name)))
          if (one && columns.includes(column)) sameButForCase(statement, name, column, index.name, context);
      break;
    }
    case "AT_EnableRowSecurity":
    case "AT_ForceRowSecurity":
      hazard(
        statement,
        context,
        "row-security",
        target(name),
        `It turns on row level security for ${tableText(name)}.`,
        "Pods of the old version see no rows but those that a policy shows them.",
        "warning",
      );
      break;
    case "AT_DropConstraint": {
      const dropped = table?.constraints.find((constraint) => constraint.name === column);
      if (dropped?.kind === "foreign") context.droppedKeys.add(foreignKey(name, dropped));
      break;
    }
    case "AT_AddConstraint":
      newConstraint(statement, cmd, name, context);
      break;
    default:
  }
}

/** A view of the whole table takes the old name in the same transaction: Postgres passes reads and writes through it. */
function keepsServing(statement: JudgedStatement, rule: string, from: Name, to: Name, context: Context): boolean {
  if (!context.standIns.some(({ view, table }) => view === keyOf(from) && table === keyOf(to))) return false;
  hazard(
    statement,
    context,
    rule,
    target(from),
    `It gives ${tableText(from)} another name, ${tableText(to)}, and makes a view of the old one.`,
    "Pods of the old version read and write through the view; TRUNCATE, COPY and foreign keys to it don't work.",
    "info",
  );
  return true;
}

function sameButForCase(statement: JudgedStatement, name: Name, column: string, index: string, context: Context): void {
  context.report(
    {
      rule: "new-unique",
      classes: ["failing", "incompatible"],
      severity: "warning",
      target: target(name, index),
      what: `Values of ${columnText(name, column)} that differ in upper and lower case only become duplicates for the index ${identifier(index)}, and it fails if there are some.`,
      who: "Pods of the old version fail when they write such a duplicate.",
      howLong: rollout,
    },
    statement,
  );
}

/** No row can have a value of it, and without a default none is given. */
function requiredDomain(statement: JudgedStatement, name: Name, column: string, type: string, context: Context): void {
  context.report(
    {
      rule: "required-column",
      classes: ["failing", "incompatible"],
      severity: context.size(name)?.rows === 0 ? "warning" : "error",
      target: target(name, column),
      what: `It adds ${columnText(name, column)} of the domain ${identifier(type)}, which forbids NULL, without a default: it fails if the table has a single row.`,
      who: "The release stops here if there are rows; if there are none, pods of the old version can insert none.",
      howLong: rollout,
      safe: {
        migrations: [],
        note: "Give it a DEFAULT, or a column of the domain's own type with a CHECK that is added NOT VALID and validated later.",
      },
    },
    statement,
  );
}

function rename(
  statement: JudgedStatement,
  {
    renameType,
    relationType,
    relation,
    subname = "",
    newname = "",
    object,
  }: Extract<Node, { RenameStmt: unknown }>["RenameStmt"],
  context: Context,
): void {
  const name = relation && nameOf(relation);
  const who = "Pods of the old version fail with every query that names it, and the app can't be rolled back.";
  if (renameType === "OBJECT_TYPE") {
    const type = keyOf(nameOfParts(object));
    // Prisma renames the old enum away and the new one into its place; that is judged as one change.
    if (!context.exchanges.has(type) && context.schema.using(type).some(({ table }) => !context.isNew(table.name)))
      hazard(
        statement,
        context,
        "rename-type",
        type,
        `It renames the type ${identifier(type)} to ${identifier(newname)}.`,
        "Pods of the old version that name it in a cast fail.",
        "warning",
      );
    return;
  }
  if (!name || context.isNew(name)) return;
  if (renameType === "OBJECT_TABLE" || renameType === "OBJECT_VIEW" || renameType === "OBJECT_MATVIEW") {
    if (keepsServing(statement, "rename-table", name, { ...name, name: newname }, context)) return;
    const way = renameType === "OBJECT_TABLE" ? renameTable(name, newname) : undefined;
    hazard(
      statement,
      context,
      "rename-table",
      target(name),
      `It renames ${tableText(name)} to ${identifier(newname)}.`,
      who,
      "error",
      way && [...way.migrations],
      way?.note,
    );
  } else if (renameType === "OBJECT_COLUMN" && relationType !== "OBJECT_TYPE") {
    if (isNewColumn(name, subname, context)) return;
    const column = context.table(name)?.columns.get(subname);
    const way = renameColumn(name, subname, newname, column?.type && typeText(column.type), column, context.schema);
    hazard(
      statement,
      context,
      "rename-column",
      target(name, subname),
      `It renames the column ${columnText(name, subname)} to ${identifier(newname)}.`,
      who,
      "error",
      [...way.migrations],
      way.note,
    );
  }
}

function enumValue(
  statement: JudgedStatement,
  { typeName, oldVal, newVal = "" }: Extract<Node, { AlterEnumStmt: unknown }>["AlterEnumStmt"],
  context: Context,
): void {
  const type = keyOf(nameOfParts(typeName));
  const users = context.schema.using(type).filter(({ table }) => !context.isNew(table.name));
  if (users.length === 0 && context.schema.enums.has(type)) return;
  if (oldVal !== undefined)
    hazard(
      statement,
      context,
      "rename-enum-value",
      `${type}.${oldVal}`,
      `It renames the value ${literal(oldVal)} of ${identifier(type)} to ${literal(newVal)}.`,
      "Pods of the old version fail when they read or write it.",
      "error",
      [`ALTER TYPE ${identifier(type)} ADD VALUE ${literal(newVal)};`],
      "Then let the new version write the new value, change the rows in batches, and leave the old value in the type. In Prisma no SQL is needed: keep the value with @map.",
    );
  else
    context.report(
      {
        rule: "new-enum-value",
        classes: ["incompatible"],
        severity: "info",
        target: `${type}.${newVal}`,
        what: `It adds the value ${literal(newVal)} to ${identifier(type)}.`,
        who: "Pods of the old version may fail to read a row in which the new version wrote it.",
        howLong: rollout,
        irreversible: "A value can't be taken out of an enum again.",
      },
      statement,
    );
}
