import type { ColumnDef, Node } from "libpg-query";
import { collationOf } from "../../migrations/schema/definition";
import type { Table } from "../../migrations/schema/objects";
import { columnType } from "../../migrations/sql/column-type";
import { treeText } from "../../migrations/sql/expression";
import { identifier, keyOf, nameOf } from "../../migrations/sql/identifier";
import { type Context, type JudgedStatement, tableText, target } from "./context";

/** Tells of IF NOT EXISTS where the history knows the object with another definition, which Postgres leaves as it is without an error. */
export function judgeLeftAsItIs(statement: JudgedStatement, context: Context): void {
  for (const { about, difference } of differences(statement.node, context))
    context.report(
      {
        rule: "left-as-it-is",
        classes: ["incompatible"],
        severity: "warning",
        target: about,
        what: `It makes what is there already IF NOT EXISTS, so Postgres leaves that as it is: ${difference}.`,
        who: "Pods of the new version, where they need what it says.",
        howLong: "until a migration changes it",
        safe: { migrations: [], note: "Write the change as ALTER TABLE, or drop what is there and make it again." },
      },
      statement,
    );
}

function differences(node: Node, context: Context): { about: string; difference: string }[] {
  if ("CreateStmt" in node && node.CreateStmt.if_not_exists && node.CreateStmt.relation) {
    const table = context.table(nameOf(node.CreateStmt.relation));
    return (node.CreateStmt.tableElts ?? []).flatMap((each) =>
      table && "ColumnDef" in each ? columnDifference(each.ColumnDef, table, true) : [],
    );
  }
  if ("IndexStmt" in node && node.IndexStmt.if_not_exists && node.IndexStmt.relation && node.IndexStmt.idxname) {
    const { relation, idxname, indexParams = [], whereClause, unique } = node.IndexStmt;
    const found = context.schema.indexes.get(keyOf({ ...nameOf(relation), name: idxname }));
    const columns = indexParams.map((item) => ("IndexElem" in item ? (item.IndexElem.name ?? "(expression)") : ""));
    const same =
      found?.columns.join() === columns.join() &&
      found.unique === (unique === true) &&
      (found.partial ?? false) === (whereClause !== undefined) &&
      found.table === keyOf(nameOf(relation));
    const difference = `the index ${identifier(idxname)} has another definition`;
    return found && !same ? [{ about: target(nameOf(relation), idxname), difference }] : [];
  }
  if (!("AlterTableStmt" in node) || !node.AlterTableStmt.relation) return [];
  const table = context.table(nameOf(node.AlterTableStmt.relation));
  return (node.AlterTableStmt.cmds ?? []).flatMap((item) => {
    const { subtype, missing_ok, def } = "AlterTableCmd" in item ? item.AlterTableCmd : {};
    const added = subtype === "AT_AddColumn" && missing_ok && def && "ColumnDef" in def ? def.ColumnDef : undefined;
    return table && added ? columnDifference(added, table, false) : [];
  });
}

/** @param wanted whether a column that is absent is a difference, too */
function columnDifference(definition: ColumnDef, table: Table, wanted: boolean) {
  const { colname = "" } = definition;
  const column = table.columns.get(colname);
  const type = columnType(definition.typeName);
  const about = target(table.name, colname);
  const of = `the column ${identifier(colname)} of ${tableText(table.name)}`;
  if (!column) return wanted && table.known ? [{ about, difference: `${of} is not there` }] : [];
  if (!column.type || !type) return [];
  // A serial is an integer that fills itself.
  const written = (each: typeof type) => treeText({ ...each, name: each.name.replace(/^public\./, ""), serial: false });
  const same = written(type) === written(column.type) && column.collation === collationOf(definition).collation;
  return same ? [] : [{ about, difference: `${of} has another type` }];
}
