import { columnType, typeText } from "../../migrations/sql/column-type";
import { identifier, keyOf, literal, type Name, nameOf, nameOfParts, partsOf } from "../../migrations/sql/identifier";
import { columnsMentioned, tablesRead } from "../../migrations/sql/references";
import { renameColumn, renameTable } from "../safe/change";
import { type Context, columnText, type JudgedStatement, tableText, target } from "./context";

/** An enum that is made anew under another name and put into the place of the old one, as Prisma does when a value goes. */
export interface EnumExchange {
  /** Its key, before and after. */
  readonly type: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** The exchanges in a migration, by the key of the type that takes the place. */
export function enumExchanges(
  statements: readonly Pick<JudgedStatement, "node">[],
  context: Context,
): Map<string, EnumExchange> {
  const made = new Map<string, string[]>();
  const away = new Set<string>();
  const found = new Map<string, EnumExchange>();
  const exchange = (fresh: string, type: string, values: readonly string[]) => {
    const before = context.schema.enums.get(type) ?? [];
    const added = values.filter((value) => !before.includes(value));
    found.set(fresh, { type, added, removed: before.filter((value) => !values.includes(value)) });
  };
  for (const { node } of statements) {
    if ("CreateEnumStmt" in node) {
      const type = keyOf(nameOfParts(node.CreateEnumStmt.typeName));
      const values = partsOf(node.CreateEnumStmt.vals);
      made.set(type, values);
      // The old one was renamed away first, and the new one is made in its place.
      if (away.has(type)) exchange(type, type, values);
    }
    if (!("RenameStmt" in node) || node.RenameStmt.renameType !== "OBJECT_TYPE") continue;
    const from = nameOfParts(node.RenameStmt.object);
    const type = keyOf({ ...from, name: node.RenameStmt.newname ?? "" });
    away.add(keyOf(from));
    // The new one takes the place of the old one.
    const values = made.get(keyOf(from));
    if (values && context.schema.enums.has(type)) exchange(keyOf(from), type, values);
  }
  return found;
}

/** ALTER COLUMN TYPE into the enum that takes another's place. */
export function judgeExchange(statement: JudgedStatement, context: Context): void {
  if (!("AlterTableStmt" in statement.node) || !statement.node.AlterTableStmt.relation) return;
  const name = nameOf(statement.node.AlterTableStmt.relation);
  if (context.isNew(name)) return;
  for (const item of statement.node.AlterTableStmt.cmds ?? []) {
    if (!("AlterTableCmd" in item) || item.AlterTableCmd.subtype !== "AT_AlterColumnType") continue;
    const { def, name: column = "" } = item.AlterTableCmd;
    const to = def && "ColumnDef" in def ? columnType(def.ColumnDef.typeName) : undefined;
    const exchange = to && context.exchanges.get(to.name);
    if (!exchange || exchange.removed.length === 0) continue;
    const values = exchange.removed.map((value) => literal(value)).join(", ");
    const rule = identifier(`${name.name}_${column}_values`);
    const check = `CHECK (${identifier(column)} NOT IN (${values}))`;
    context.report(
      {
        rule: "remove-enum-value",
        classes: ["failing", ...(context.plan.contract ? [] : (["incompatible"] as const))],
        severity: "error",
        target: target(name, column),
        what: `It takes ${values} out of the enum ${identifier(exchange.type)}, and fails if a row of ${tableText(name)} holds one.`,
        who: "Pods of the old version fail when they write one.",
        howLong: "until the rollout is complete",
        safe: {
          migrations: [
            `-- release: contract\nALTER TABLE ${tableText(name)} ADD CONSTRAINT ${rule} ${check} NOT VALID;`,
            `-- release: contract\nALTER TABLE ${tableText(name)} VALIDATE CONSTRAINT ${rule};`,
          ],
          note: "A value that stays in the type does no harm; the check keeps it out of the table without writing a row anew.",
        },
      },
      statement,
    );
  }
}

/** A column dropped and one of the same type added, a table dropped and one with the same columns made: that may be a rename. */
export function judgeRenames(statements: readonly JudgedStatement[], context: Context): void {
  const dropped: { statement: JudgedStatement; name: Name; column: string }[] = [];
  const added: { name: Name; column: string; type: string }[] = [];
  const gone: { statement: JudgedStatement; name: Name }[] = [];
  const made: { name: Name; columns: string[] }[] = [];
  for (const statement of statements) {
    const { node } = statement;
    if ("AlterTableStmt" in node && node.AlterTableStmt.relation) {
      const name = nameOf(node.AlterTableStmt.relation);
      if (context.isNew(name)) continue;
      for (const item of node.AlterTableStmt.cmds ?? []) {
        if (!("AlterTableCmd" in item)) continue;
        const { subtype, name: column = "", def } = item.AlterTableCmd;
        if (subtype === "AT_DropColumn") dropped.push({ statement, name, column });
        if (subtype === "AT_AddColumn" && def && "ColumnDef" in def)
          added.push({ name, column: def.ColumnDef.colname ?? "", type: typeText(columnType(def.ColumnDef.typeName)) });
      }
    } else if ("DropStmt" in node && node.DropStmt.removeType === "OBJECT_TABLE")
      gone.push(...(node.DropStmt.objects ?? []).map((object) => ({ statement, name: nameOfParts(object) })));
    else if ("CreateStmt" in node && node.CreateStmt.relation)
      made.push({
        name: nameOf(node.CreateStmt.relation),
        columns: (node.CreateStmt.tableElts ?? []).flatMap((item) =>
          "ColumnDef" in item ? [item.ColumnDef.colname ?? ""] : [],
        ),
      });
  }
  for (const { statement, name, column } of dropped) {
    const before = context.table(name)?.columns.get(column);
    if (!before?.type) continue;
    const type = typeText(before.type);
    const candidates = added
      .filter((item) => keyOf(item.name) === keyOf(name) && item.type === type && item.column !== column)
      .sort((a, b) => alike(b.column, column) - alike(a.column, column));
    const to = candidates[0];
    if (!to || isCopied(statements, name, column)) continue;
    const list = candidates.map((item) => identifier(item.column)).join(" or ");
    const way = renameColumn(name, column, to.column, type, before, context.schema);
    report(
      statement,
      target(name, column),
      `It drops ${columnText(name, column)} and adds ${list}, also of type ${type}: if that is a new name, Prisma has turned the rename into the loss of all values.`,
      way,
      context,
    );
  }
  for (const { statement, name } of gone) {
    const columns = [...(context.table(name)?.columns.keys() ?? [])];
    // Made anew under its own name, it is no rename.
    if (columns.length < 2 || context.isNew(name) || made.some((item) => keyOf(item.name) === keyOf(name))) continue;
    if (
      statements.some(
        ({ node }) => "InsertStmt" in node && tablesRead(node).some((read) => keyOf(read.name) === keyOf(name)),
      )
    )
      continue;
    const to = made.find(
      (item) =>
        columns.filter((column) => item.columns.includes(column)).length /
          Math.max(columns.length, item.columns.length) >=
        0.7,
    );
    if (to)
      report(
        statement,
        target(name),
        `It drops ${tableText(name)} and makes ${tableText(to.name)} with the same columns: if that is a new name, Prisma has turned the rename into the loss of all rows.`,
        renameTable(name, to.name.name),
        context,
      );
  }
}

/** How much of the longer name the two begin and end with alike: `expires` and `expiresAt` do more than `expires` and `createdAt`. */
function alike(a: string, b: string): number {
  const [x, y] = [a.toLowerCase(), b.toLowerCase()];
  const most = Math.min(x.length, y.length);
  let begin = 0;
  while (begin < most && x[begin] === y[begin]) begin++;
  let end = 0;
  while (end < most - begin && x.at(-1 - end) === y.at(-1 - end)) end++;
  return (begin + end) / Math.max(x.length, y.length);
}

/** An UPDATE that takes the column's values somewhere else before it goes. */
function isCopied(statements: readonly JudgedStatement[], name: Name, column: string): boolean {
  return statements.some(({ node }) => {
    if (!("UpdateStmt" in node || "InsertStmt" in node) || !columnsMentioned(node).has(column)) return false;
    const own = "UpdateStmt" in node && node.UpdateStmt.relation ? [nameOf(node.UpdateStmt.relation)] : [];
    return [...own, ...tablesRead(node).map((read) => read.name)].some((read) => keyOf(read) === keyOf(name));
  });
}

function report(
  statement: JudgedStatement,
  about: string,
  what: string,
  safe: ReturnType<typeof renameTable>,
  context: Context,
): void {
  context.report(
    {
      rule: "rename-as-drop",
      classes: ["destructive"],
      severity: "error",
      target: about,
      what,
      who: "Everybody who reads it.",
      howLong: "for good",
      irreversible: "What is dropped can only be had back from a snapshot.",
      safe,
    },
    statement,
  );
}
