import type { CreateStmt, DropStmt } from "libpg-query";
import { addColumn, addConstraint, addQueryResult, constraintOf } from "../schema/definition";
import { cascadeDependents, enterColumn, enterDependent, forgetDependents } from "../schema/dependents";
import type { Effects } from "../schema/effect";
import { type Expectation, perhaps, relationName, there } from "../schema/expectation";
import { keyColumns } from "../schema/partition-bounds";
import { recordConstraint } from "../schema/record";
import { emptyTable, type Schema } from "../schema/schema";
import { useOf, usesOf } from "../schema/uses";
import { keyOf, type Name, nameOf, nameText } from "../sql/identifier";
import type { Drops, Family } from "./family";
import { partitionAdded, partitionRemoved } from "./partitions";
import { defines, selects } from "./replay-rules";
import { type Before, perhapsBefore, type Undo } from "./undo";

/** CREATE TABLE in all its forms. */
export const tables: Family<"CreateStmt" | "CreateForeignTableStmt" | "CreateTableAsStmt"> = {
  CreateStmt: {
    opinion: "judged",
    kind: () => "CREATE TABLE",
    lock: lockCreated,
    apply: applyCreated,
    expect: expectCreated,
    replay: defines,
    undo: ({ relation, if_not_exists }, before) =>
      relation ? dropMade("TABLE", nameOf(relation), if_not_exists, before) : [],
  },
  CreateForeignTableStmt: {
    opinion: "judged",
    lock: ({ base }, schema, effects) => base && lockCreated(base, schema, effects),
    apply: ({ base }, schema, migration) => base && applyCreated(base, schema, migration),
    undo: ({ base }, before) =>
      base?.relation ? dropMade("FOREIGN TABLE", nameOf(base.relation), base.if_not_exists, before) : [],
  },
  CreateTableAsStmt: {
    opinion: "judged",
    kind: ({ objtype }) => (objtype === "OBJECT_MATVIEW" ? "CREATE MATERIALIZED VIEW" : "CREATE TABLE AS"),
    apply(statement, schema, migration) {
      const { into, objtype, query } = statement;
      if (!into?.rel) return;
      if (objtype !== "OBJECT_MATVIEW") return addQueryResult(into.rel, "table", schema, migration);
      addQueryResult(into.rel, "materialized view", schema, migration, { CreateTableAsStmt: statement });
      enterDependent(schema, "view", keyOf(nameOf(into.rel)), "", usesOf(query, schema));
    },
    expect({ objtype, into, if_not_exists }, schema) {
      const kind = objtype === "OBJECT_MATVIEW" ? "materialized view" : "table";
      return into?.rel ? [perhaps(`${kind} ${relationName(into.rel, schema)}`, if_not_exists)] : [];
    },
    replay: selects,
    undo: ({ into, objtype, if_not_exists }, before) =>
      into?.rel
        ? dropMade(
            objtype === "OBJECT_MATVIEW" ? "MATERIALIZED VIEW" : "TABLE",
            nameOf(into.rel),
            if_not_exists,
            before,
          )
        : [],
  },
};

/** Takes back that a table or a materialized view was made. */
export function dropMade(
  kind: "TABLE" | "FOREIGN TABLE" | "MATERIALIZED VIEW",
  name: Name,
  ifNotExists: boolean | undefined,
  { schema }: Before,
): Undo[] {
  if (ifNotExists && schema.table(name)) return [];
  const view = kind === "MATERIALIZED VIEW";
  return [
    {
      of: { kind: view ? "view" : "table", key: keyOf(name) },
      sql: [`DROP ${kind} ${nameText(name)}`],
      drops: true,
      after: true,
      // The rows of a foreign table are on another server, and those of a view are in its tables.
      ...(kind === "TABLE" && { loses: "rows" }),
      ...(ifNotExists && { note: perhapsBefore }),
    },
  ];
}

/** Removes a dropped table or view from the schema, together with everything that is dropped with it. */
export function dropRelation(name: Name, schema: Schema, { behavior }: DropStmt): void {
  schema.drop(keyOf(name));
  forgetDependents(schema, ({ table }) => table === keyOf(name));
  if (behavior === "DROP_CASCADE") cascadeDependents(schema, useOf("table", keyOf(name)));
}

/** Records the locks of DROP … CASCADE on the tables that reference the dropped one, and on its views. */
export function lockCascaded(name: Name, schema: Schema, effects: Effects): void {
  for (const table of schema.referencing(keyOf(name))) effects.touch(table.name, "ACCESS EXCLUSIVE");
  for (const view of schema.viewsOf(keyOf(name))) effects.touch(view.name, "ACCESS EXCLUSIVE");
}

/** The rules for DROP TABLE and DROP FOREIGN TABLE. */
export const tableDrops: Drops<"OBJECT_TABLE" | "OBJECT_FOREIGN_TABLE"> = {
  OBJECT_TABLE: {
    opinion: "judged",
    entry: "table",
    lock(name, schema, effects, { behavior }) {
      effects.touch(name, "ACCESS EXCLUSIVE");
      for (const { references } of schema.table(name)?.constraints ?? [])
        if (references !== undefined && references !== keyOf(name))
          effects.touch(schema.named(references), "ACCESS EXCLUSIVE");
      for (const child of schema.descendants(keyOf(name))) effects.touch(child.name, "ACCESS EXCLUSIVE");
      const parent = schema.table(name)?.parent;
      if (parent !== undefined) {
        effects.touch(schema.named(parent), "ACCESS EXCLUSIVE");
        partitionRemoved(schema.named(parent), name, schema, effects);
      }
      if (behavior === "DROP_CASCADE") lockCascaded(name, schema, effects);
    },
    apply: dropRelation,
    undo: (name) => [{ of: { kind: "table", key: keyOf(name) }, never: "its rows are gone with it" }],
  },
  OBJECT_FOREIGN_TABLE: {
    opinion: "judged",
    lock: (name, _schema, effects) => effects.touch(name, "ACCESS EXCLUSIVE"),
    apply: dropRelation,
  },
};

function lockCreated(
  { relation, inhRelations, partbound, tableElts, constraints }: CreateStmt,
  schema: Schema,
  effects: Effects,
): void {
  for (const parent of inhRelations ?? [])
    if ("RangeVar" in parent) {
      effects.touch(nameOf(parent.RangeVar), partbound ? "ACCESS EXCLUSIVE" : "SHARE UPDATE EXCLUSIVE");
      if (partbound) partitionAdded(nameOf(parent.RangeVar), partbound, schema, effects);
    }
  const foreign = [...(tableElts ?? []), ...(constraints ?? [])].flatMap((element) =>
    "ColumnDef" in element ? (element.ColumnDef.constraints ?? []) : [element],
  );
  for (const element of foreign)
    if ("Constraint" in element && element.Constraint.pktable) {
      const name = nameOf(element.Constraint.pktable);
      // A table may reference itself. It is new then, so there is nothing to lock.
      if (!relation || keyOf(name) !== keyOf(nameOf(relation))) effects.touch(name, "SHARE ROW EXCLUSIVE");
    }
}

function applyCreated(statement: CreateStmt, schema: Schema, migration: string): void {
  const { relation, tableElts = [], inhRelations, partspec, partbound, if_not_exists } = statement;
  const { constraints = [], options = [] } = statement;
  if (!relation) return;
  const name = nameOf(relation);
  if (!(if_not_exists && schema.table(name))) {
    const table = emptyTable(name, migration);
    table.partitioned = partspec !== undefined;
    table.partitionKey = keyColumns(partspec);
    table.isDefault = partbound?.is_default === true;
    const parent = inhRelations?.[0];
    if (parent && "RangeVar" in parent) {
      const of = schema.require(nameOf(parent.RangeVar));
      table.parent = keyOf(of.name);
      for (const [column, definition] of of.columns) table.columns.set(column, { ...definition });
    }
    schema.tables.set(keyOf(name), table);
    schema.definitions?.set({ kind: "table", key: keyOf(name) });
    for (const element of [...tableElts, ...constraints])
      if ("ColumnDef" in element) addColumn(element.ColumnDef, table, schema);
      else if ("Constraint" in element) {
        const constraint = constraintOf(element.Constraint, name.name, schema);
        // A new table is empty, so NOT VALID has no effect.
        if (!constraint) continue;
        addConstraint({ ...constraint, valid: true }, table, schema);
        recordConstraint(element.Constraint, constraint, table, schema);
      } else if ("TableLikeClause" in element && element.TableLikeClause.relation) {
        const like = schema.table(nameOf(element.TableLikeClause.relation));
        table.known = like?.known ?? false;
        for (const [column, definition] of like?.columns ?? []) table.columns.set(column, { ...definition });
      }
  }
  if (partbound) schema.definitions?.set({ kind: "bound of", key: keyOf(name) }, { PartitionBoundSpec: partbound });
  for (const item of options)
    if ("DefElem" in item)
      schema.definitions?.set({ kind: "option of", key: keyOf(name), part: item.DefElem.defname ?? "" }, item);
  for (const item of tableElts) if ("ColumnDef" in item) enterColumn(schema, keyOf(name), item.ColumnDef);
}

function expectCreated(
  { relation, if_not_exists, tableElts, partbound, inhRelations }: CreateStmt,
  schema: string,
): Expectation[] {
  if (!relation) return [];
  const table = relationName(relation, schema);
  if (if_not_exists) return [perhaps(`table ${table}`, true)];
  const [parent] = inhRelations ?? [];
  const whole = partbound && parent && "RangeVar" in parent ? parent.RangeVar : undefined;
  return [
    { ...there(`table ${table}`), ...(whole && { partOf: `table ${relationName(whole, schema)}` }) },
    ...(tableElts ?? []).flatMap((each) =>
      "ColumnDef" in each ? [there(`column ${table}.${each.ColumnDef.colname}`)] : [],
    ),
  ];
}
