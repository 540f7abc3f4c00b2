import type { Node } from "libpg-query";
import { isAlways } from "../../migrations/batches/few-rows";
import type { MigrationPlan, PlannedStatement } from "../../migrations/history/plan";
import type { Constraint } from "../../migrations/schema/objects";
import type { Schema } from "../../migrations/schema/schema";
import { emptiedBy } from "../../migrations/schema/truncate";
import { standIn } from "../../migrations/schema/view-columns";
import { keyOf, type Name, nameOf, nameOfParts, partsOf } from "../../migrations/sql/identifier";
import { addedValue } from "../../migrations/statements/enum-use";
import type { EnumExchange, Prepared } from "../facts";
import { target } from "../names";
import { commandsOf } from "./commands";
import { guardsMade } from "./guards";
import { sequencesFollowing } from "./sequences";
import { uniqueKey, uniquesDropped, uniquesMade } from "./uniques";

/** A statement, or a part of a statement in a DO block or a WITH. */
type Part = PlannedStatement & { readonly node: Node };

/**
 * Reads the facts about a migration as a whole, before its first statement is judged.
 *
 * @param statements The migration's statements.
 * @param parts The same statements, together with those in DO blocks and in WITH.
 * @param schema The schema before the migration.
 */
export function prepare(
  plan: MigrationPlan,
  statements: readonly Part[],
  parts: readonly Part[],
  schema: Schema,
): Prepared {
  const nodes = statements.map(({ node }) => node);
  const within = parts.map(({ node }) => node);
  const transaction = plan.mode === "transaction";
  return {
    exchanges: enumExchanges(nodes, schema),
    // Within one transaction, no other session sees that a view or function is missing.
    remade: new Set(transaction ? nodes.flatMap(remade) : []),
    standIns: transaction ? nodes.flatMap((node) => standIn(node, columnsBefore(nodes, schema)) ?? []) : [],
    droppedColumns: new Set(nodes.flatMap(columnsDropped)),
    droppedKeys: new Set(within.flatMap((node) => foreignKeysDropped(node, schema))),
    uniques: new Set(nodes.flatMap((node) => uniquesMade(node, schema))),
    droppedUniques: new Set(
      within.flatMap((node) => uniquesDropped(node, schema).map(({ table, columns }) => uniqueKey(table, columns))),
    ),
    guardsMade: new Set(nodes.flatMap(guardsMade)),
    sequencesFollowing: new Set(nodes.flatMap(sequencesFollowing)),
    emptied: new Set(within.flatMap((node) => emptied(node, schema))),
    addedValues: valuesAdded(parts, plan.name, schema),
  };
}

/** Writes a foreign key in the form that {@link Prepared.droppedKeys} contains. */
export function foreignKeyText(name: Name, { columns, references }: Constraint): string {
  return `${keyOf(name)}(${columns.join(",")}) ${references}`;
}

function enumExchanges(nodes: readonly Node[], schema: Schema): Map<string, EnumExchange> {
  const made = new Map<string, string[]>();
  const away = new Set<string>();
  const found = new Map<string, EnumExchange>();
  const exchange = (fresh: string, type: string, values: readonly string[]) => {
    const before = schema.enums.get(type) ?? [];
    const added = values.filter((value) => !before.includes(value));
    found.set(fresh, { type, added, removed: before.filter((value) => !values.includes(value)) });
  };
  for (const node of nodes) {
    if ("CreateEnumStmt" in node) {
      const type = keyOf(nameOfParts(node.CreateEnumStmt.typeName));
      const values = partsOf(node.CreateEnumStmt.vals);
      made.set(type, values);
      // The old enum was renamed before, and the new one is made under the old name.
      if (away.has(type)) exchange(type, type, values);
    }
    if (!("RenameStmt" in node) || node.RenameStmt.renameType !== "OBJECT_TYPE") continue;
    const from = nameOfParts(node.RenameStmt.object);
    const type = keyOf({ ...from, name: node.RenameStmt.newname ?? "" });
    away.add(keyOf(from));
    // The new enum, made under another name, is renamed to the old name.
    const values = made.get(keyOf(from));
    if (values && schema.enums.has(type)) exchange(keyOf(from), type, values);
  }
  return found;
}

function remade(node: Node): string[] {
  if ("ViewStmt" in node && node.ViewStmt.view) return [target(nameOf(node.ViewStmt.view))];
  if ("CreateTableAsStmt" in node && node.CreateTableAsStmt.into?.rel)
    return [target(nameOf(node.CreateTableAsStmt.into.rel))];
  return "CreateFunctionStmt" in node ? [target(nameOfParts(node.CreateFunctionStmt.funcname))] : [];
}

/** Returns a function that finds a renamed or moved table's earlier columns by its new name. */
function columnsBefore(nodes: readonly Node[], schema: Schema): (table: string) => string[] {
  const before = new Map<string, string[]>();
  const moved = (from: Name, to: Name) => {
    if (!before.has(keyOf(to))) before.set(keyOf(to), [...(schema.table(from)?.columns.keys() ?? [])]);
  };
  for (const node of nodes) {
    if ("RenameStmt" in node && node.RenameStmt.renameType === "OBJECT_TABLE" && node.RenameStmt.relation) {
      const from = nameOf(node.RenameStmt.relation);
      moved(from, { ...from, name: node.RenameStmt.newname ?? "" });
    }
    if ("AlterObjectSchemaStmt" in node && node.AlterObjectSchemaStmt.relation) {
      const from = nameOf(node.AlterObjectSchemaStmt.relation);
      moved(from, { schema: node.AlterObjectSchemaStmt.newschema ?? "", name: from.name });
    }
  }
  return (table) => before.get(table) ?? [];
}

function columnsDropped(node: Node): string[] {
  return commandsOf(node).flatMap(({ table, column, cmd: { subtype } }) =>
    subtype === "AT_DropColumn" ? [target(table, column)] : [],
  );
}

function foreignKeysDropped(node: Node, schema: Schema): string[] {
  return commandsOf(node).flatMap(({ table, column, cmd: { subtype } }) => {
    if (subtype !== "AT_DropConstraint") return [];
    const dropped = schema.table(table)?.constraints.find(({ name }) => name === column);
    return dropped?.kind === "foreign" ? [foreignKeyText(table, dropped)] : [];
  });
}

function emptied(node: Node, schema: Schema): string[] {
  if ("TruncateStmt" in node) return emptiedBy(node.TruncateStmt, schema).map(keyOf);
  const all = "DeleteStmt" in node && node.DeleteStmt.relation && isAlways(node.DeleteStmt.whereClause);
  return all && node.DeleteStmt.relation ? [keyOf(nameOf(node.DeleteStmt.relation))] : [];
}

function valuesAdded(parts: readonly Part[], migration: string, schema: Schema): Prepared["addedValues"] {
  const made = new Set<string>();
  return parts.flatMap((by) => {
    if ("CreateEnumStmt" in by.node) made.add(keyOf(nameOfParts(by.node.CreateEnumStmt.typeName)));
    const value = addedValue(by.node, schema, migration);
    // Postgres allows the use of a new value at once if the same transaction has made the type.
    return value && !made.has(value.type) ? [{ value, by }] : [];
  });
}
