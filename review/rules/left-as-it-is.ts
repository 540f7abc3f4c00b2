import type { ColumnDef, Node } from "libpg-query";
import { collationOf } from "../../migrations/schema/definition";
import type { Table } from "../../migrations/schema/objects";
import { columnType } from "../../migrations/sql/column-type";
import { treeText } from "../../migrations/sql/expression";
import { keyOf, nameOf } from "../../migrations/sql/identifier";
import type { Facts } from "../facts";
import { code, named, target } from "../names";
import { commandsOf } from "../prepare/commands";
import { defineRule } from "./rule";

/**
 * This rule reports IF NOT EXISTS for an object that already exists with another definition. Postgres then leaves the
 * object unchanged without an error.
 */
export const leftAsItIs = defineRule({
  finds: {
    "left-as-it-is": {
      classes: ["incompatible"],
      bad: "ALTER TABLE users ADD COLUMN IF NOT EXISTS age BIGINT;",
      good: "ALTER TABLE users ADD COLUMN years BIGINT;",
    },
  },
  statement({ node }, facts) {
    return differences(node, facts).map(({ about, difference }) => ({
      rule: "left-as-it-is" as const,
      severity: "warning" as const,
      target: about,
      what: `Creates IF NOT EXISTS what exists already, so Postgres changes nothing: ${difference}.`,
      who: "Pods of the new version, where they need the definition in this migration.",
      howLong: "Until a migration changes it",
      safe: { migrations: [], note: "Write the change as ALTER TABLE, or drop what exists and create it again." },
    }));
  },
});

function differences(node: Node, facts: Facts): { about: string; difference: string }[] {
  if ("CreateStmt" in node && node.CreateStmt.if_not_exists && node.CreateStmt.relation) {
    const table = facts.table(nameOf(node.CreateStmt.relation));
    return (node.CreateStmt.tableElts ?? []).flatMap((each) =>
      table && "ColumnDef" in each ? columnDifference(each.ColumnDef, table, true) : [],
    );
  }
  if ("IndexStmt" in node && node.IndexStmt.if_not_exists && node.IndexStmt.relation && node.IndexStmt.idxname) {
    const { relation, idxname, indexParams = [], whereClause, unique } = node.IndexStmt;
    const found = facts.schema.indexes.get(keyOf({ ...nameOf(relation), name: idxname }));
    const columns = indexParams.map((item) => ("IndexElem" in item ? (item.IndexElem.name ?? "(expression)") : ""));
    const same =
      found?.columns.join() === columns.join() &&
      found.unique === (unique === true) &&
      (found.partial ?? false) === (whereClause !== undefined) &&
      found.table === keyOf(nameOf(relation));
    const difference = `index ${code(idxname)} has another definition`;
    return found && !same ? [{ about: target(nameOf(relation), idxname), difference }] : [];
  }
  return commandsOf(node).flatMap(({ cmd: { subtype, missing_ok, def }, table: name }) => {
    const table = facts.table(name);
    const added = subtype === "AT_AddColumn" && missing_ok && def && "ColumnDef" in def ? def.ColumnDef : undefined;
    return table && added ? columnDifference(added, table, false) : [];
  });
}

/**
 * Returns the difference between a column's definition and the existing column.
 *
 * @param wanted Whether a missing column is a difference, too.
 */
function columnDifference(definition: ColumnDef, table: Table, wanted: boolean) {
  const { colname = "" } = definition;
  const column = table.columns.get(colname);
  const type = columnType(definition.typeName);
  const about = target(table.name, colname);
  const of = `column ${named(table.name, colname)}`;
  if (!column) return wanted && table.known ? [{ about, difference: `${of} is not there` }] : [];
  if (!column.type || !type) return [];
  // A serial is stored as an integer with a default, so it counts as the same type.
  const written = (each: typeof type) => treeText({ ...each, name: each.name.replace(/^public\./, ""), serial: false });
  const same = written(type) === written(column.type) && column.collation === collationOf(definition).collation;
  return same ? [] : [{ about, difference: `${of} has another type` }];
}
