import { columnType, typeText } from "../../migrations/sql/column-type";
import { keyOf, type Name, nameOf, nameOfParts } from "../../migrations/sql/identifier";
import { columnsMentioned, tablesRead } from "../../migrations/sql/references";
import type { Facts, JudgedStatement } from "../facts";
import type { SafeWay } from "../finding";
import { code, named, target } from "../names";
import { alterations } from "../prepare/commands";
import { renameColumn, renameTable } from "../safe/change";
import { type Draft, defineRule } from "./rule";
import { fromSnapshot, permanent, readers } from "./words";

type Statements = readonly JudgedStatement[];

/** This rule reports a column or table that is dropped while a similar one is made, because a rename may be meant. */
export const renameAsDrop = defineRule({
  finds: {
    "rename-as-drop": {
      classes: ["destructive"],
      bad: "ALTER TABLE users DROP COLUMN name, ADD COLUMN full_name TEXT;",
    },
  },
  opening: (statements, facts) => [...columns(statements, facts), ...tables(statements, facts)],
});

function columns(statements: Statements, facts: Facts): Draft<"rename-as-drop">[] {
  const commands = statements.flatMap((at) => alterations(at, facts).map((command) => ({ ...command, at })));
  const added = commands.flatMap(({ cmd: { subtype, def }, table }) =>
    subtype === "AT_AddColumn" && def && "ColumnDef" in def
      ? [{ table, column: def.ColumnDef.colname ?? "", type: typeText(columnType(def.ColumnDef.typeName)) }]
      : [],
  );
  return commands.flatMap(({ at, cmd, table: name, column }) => {
    const before = cmd.subtype === "AT_DropColumn" ? facts.table(name)?.columns.get(column) : undefined;
    if (!before?.type) return [];
    const type = typeText(before.type);
    const candidates = added
      .filter((item) => keyOf(item.table) === keyOf(name) && item.type === type && item.column !== column)
      .map((item) => item.column)
      .sort((a, b) => alike(b, column) - alike(a, column));
    const [to] = candidates;
    if (to === undefined || isCopied(statements, name, column)) return [];
    const way = renameColumn(name, column, to, type, before, facts.schema);
    const list = candidates.map(code).join(" or ");
    const what = `Drops column ${named(name, column)} and adds ${list}, also of type ${type}. If that is a new name, Prisma has turned the rename into the loss of all values.`;
    return [lost(at, target(name, column), what, way)];
  });
}

function tables(statements: Statements, facts: Facts): Draft<"rename-as-drop">[] {
  const made = statements.flatMap(({ node }) => {
    if (!("CreateStmt" in node) || !node.CreateStmt.relation) return [];
    const elements = node.CreateStmt.tableElts ?? [];
    const own = elements.flatMap((item) => ("ColumnDef" in item ? [item.ColumnDef.colname ?? ""] : []));
    return [{ name: nameOf(node.CreateStmt.relation), columns: own }];
  });
  return statements.flatMap((at) => {
    const { node } = at;
    if (!("DropStmt" in node) || node.DropStmt.removeType !== "OBJECT_TABLE") return [];
    return (node.DropStmt.objects ?? []).map(nameOfParts).flatMap((name) => {
      const before = [...(facts.table(name)?.columns.keys() ?? [])];
      // A table that is made again under the same name is not renamed.
      if (before.length < 2 || facts.isNew(name) || made.some((item) => keyOf(item.name) === keyOf(name))) return [];
      const isRead = (each: JudgedStatement) =>
        "InsertStmt" in each.node && tablesRead(each.node).some((read) => keyOf(read.name) === keyOf(name));
      const to = statements.some(isRead)
        ? undefined
        : made.find((item) => {
            const common = before.filter((column) => item.columns.includes(column)).length;
            return common / Math.max(before.length, item.columns.length) >= 0.7;
          });
      if (!to) return [];
      const what = `Drops table ${named(name)} and creates ${named(to.name)} with the same columns. If that is a new name, Prisma has turned the rename into the loss of all rows.`;
      return [lost(at, target(name), what, renameTable(name, to.name.name))];
    });
  });
}

function lost(at: JudgedStatement, about: string, what: string, safe: SafeWay): Draft<"rename-as-drop"> {
  return {
    rule: "rename-as-drop",
    severity: "error",
    target: about,
    what,
    who: readers,
    howLong: permanent,
    irreversible: fromSnapshot,
    safe,
    at,
  };
}

/**
 * Returns the similarity of two names, from 0 to 1: the length of their common beginning and end, divided by the length
 * of the longer name. So `expires` is more similar to `expiresAt` than to `createdAt`.
 */
function alike(a: string, b: string): number {
  const [x, y] = [a.toLowerCase(), b.toLowerCase()];
  const most = Math.min(x.length, y.length);
  let begin = 0;
  while (begin < most && x[begin] === y[begin]) begin++;
  let end = 0;
  while (end < most - begin && x.at(-1 - end) === y.at(-1 - end)) end++;
  return (begin + end) / Math.max(x.length, y.length);
}

/** Returns whether an UPDATE or INSERT of the migration copies the column's values. */
function isCopied(statements: Statements, name: Name, column: string): boolean {
  return statements.some(({ node }) => {
    if (!("UpdateStmt" in node || "InsertStmt" in node) || !columnsMentioned(node).has(column)) return false;
    const own = "UpdateStmt" in node && node.UpdateStmt.relation ? [nameOf(node.UpdateStmt.relation)] : [];
    return [...own, ...tablesRead(node).map((read) => read.name)].some((read) => keyOf(read) === keyOf(name));
  });
}
