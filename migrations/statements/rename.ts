import type { ObjectType, RenameStmt } from "libpg-query";
import { moveDependents, replaceUse } from "../schema/dependents";
import { type Expectation, gone, partsName, perhaps, relationName, there } from "../schema/expectation";
import type { Table } from "../schema/objects";
import type { Schema } from "../schema/schema";
import { useOf } from "../schema/uses";
import { keyOf, type Name, nameOf, nameOfParts } from "../sql/identifier";
import { drops } from "./drop";
import { type Family, objectName } from "./family";
import { defines, plain } from "./replay-rules";
import { renameRoutine } from "./routines";
import { renameType } from "./types";
import { applyToDefinitions, movedBy, renameBack, setSchemaBack } from "./undo-rename";

const inTables: ReadonlySet<ObjectType> = new Set([
  "OBJECT_COLUMN",
  "OBJECT_TABCONSTRAINT",
  "OBJECT_TRIGGER",
  "OBJECT_POLICY",
  "OBJECT_RULE",
]);
const relations: ReadonlySet<ObjectType> = new Set(["OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW"]);
/** Objects whose ALTER … RENAME is named after the object that contains them, such as ALTER TABLE … RENAME COLUMN. */
const inside: ReadonlySet<ObjectType> = new Set(["OBJECT_COLUMN", "OBJECT_TABCONSTRAINT", "OBJECT_ATTRIBUTE"]);

/** ALTER … RENAME and ALTER … SET SCHEMA, for all kinds of objects. */
export const rename: Family<"RenameStmt" | "AlterObjectSchemaStmt"> = {
  RenameStmt: {
    opinion: "judged",
    kind: ({ renameType: type, relationType }) => `ALTER ${objectName(type && inside.has(type) ? relationType : type)}`,
    lock({ renameType: type, relation }, _schema, effects) {
      if (relation && type && (inTables.has(type) || relations.has(type)))
        effects.touch(nameOf(relation), "ACCESS EXCLUSIVE");
    },
    apply(statement, schema) {
      applyToDefinitions(statement, schema);
      apply(statement, schema);
    },
    expect,
    replay: plain,
    undo: renameBack,
  },
  AlterObjectSchemaStmt: {
    opinion: "judged",
    kind: ({ objectType }) => `ALTER ${objectName(objectType)}`,
    lock({ relation, objectType }, _schema, effects) {
      if (relation && objectType !== "OBJECT_SEQUENCE") effects.touch(nameOf(relation), "ACCESS EXCLUSIVE");
    },
    apply(statement, schema) {
      const { relation, newschema, objectType } = statement;
      const moved = movedBy({ AlterObjectSchemaStmt: statement });
      if (moved && objectType && !relations.has(objectType)) schema.definitions?.rename(moved.from, moved.to);
      if (relation && newschema !== undefined)
        schema.rename(nameOf(relation), { schema: newschema, name: relation.relname ?? "" });
    },
    replay: defines,
    undo: setSchemaBack,
  },
};

function apply({ renameType: type, relation, subname = "", newname = "", object }: RenameStmt, schema: Schema): void {
  if (!type) return;
  const from = relation ? nameOf(relation) : nameOfParts(object);
  const to = { ...from, name: newname };
  const table = relation && schema.table(from);
  if (relations.has(type) && relation) {
    schema.rename(from, to);
    moveDependents(schema, keyOf(from), keyOf(to));
  } else if (type === "OBJECT_INDEX" && relation) renameIndex(from, to, schema);
  else if (type === "OBJECT_COLUMN") {
    if (table) renameColumn(table, subname, newname, schema);
    replaceUse(schema, useOf("column", keyOf(from), subname), useOf("column", keyOf(from), newname));
  } else if (type === "OBJECT_TABCONSTRAINT" && table) {
    for (const constraint of table.constraints) if (constraint.name === subname) constraint.name = newname;
    renameIndex({ ...table.name, name: subname }, { ...table.name, name: newname }, schema);
  } else if (type === "OBJECT_TYPE") renameType(keyOf(from), keyOf(to), schema);
  else if (type === "OBJECT_FUNCTION" || type === "OBJECT_PROCEDURE") renameRoutine(from, to, schema);
}

function renameIndex(from: Name, to: Name, schema: Schema): void {
  const index = schema.indexes.get(keyOf(from));
  if (!index) return;
  schema.indexes.delete(keyOf(from));
  schema.indexes.set(keyOf(to), { ...index, name: to });
  for (const constraint of schema.tables.get(index.table)?.constraints ?? [])
    if (constraint.name === from.name) constraint.name = to.name;
}

function renameColumn(table: Table, from: string, to: string, schema: Schema): void {
  const columns = [...table.columns.values()].map((column) =>
    column.name === from ? { ...column, name: to } : column,
  );
  table.columns = new Map(columns.map((column) => [column.name, column]));
  const renamed = (names: readonly string[]) => names.map((name) => (name === from ? to : name));
  for (const constraint of table.constraints) {
    constraint.columns = renamed(constraint.columns);
    if (constraint.mentions) constraint.mentions = renamed(constraint.mentions);
    if (constraint.notNullOf) constraint.notNullOf = renamed(constraint.notNullOf);
  }
  for (const { constraints } of schema.tables.values())
    for (const constraint of constraints)
      if (constraint.references === keyOf(table.name) && constraint.referenced)
        constraint.referenced = renamed(constraint.referenced);
  for (const index of schema.indexesOf(keyOf(table.name))) {
    index.columns = renamed(index.columns);
    index.derivedFrom = renamed(index.derivedFrom ?? []);
  }
}

function expect(statement: RenameStmt, schema: string): Expectation[] {
  const { renameType: type, relation, relationType, subname, newname, object } = statement;
  // Prisma removes a value from an enum by making "X_new" and renaming it to "X".
  if (type === "OBJECT_TYPE" || type === "OBJECT_DOMAIN") {
    const old = partsName(object, schema);
    return [gone(`type ${old}`), there(`type ${old.slice(0, old.lastIndexOf(".") + 1)}${newname}`)];
  }
  if (!relation || !type) return [];
  const old = relationName(relation, schema);
  if (type === "OBJECT_COLUMN" && relationType !== "OBJECT_TABLE") return [];
  if (type === "OBJECT_COLUMN" || type === "OBJECT_TABCONSTRAINT" || type === "OBJECT_TRIGGER") {
    const kind = { OBJECT_COLUMN: "column", OBJECT_TABCONSTRAINT: "constraint", OBJECT_TRIGGER: "trigger" }[type];
    return [gone(`${kind} ${old}.${subname}`), there(`${kind} ${old}.${newname}`)];
  }
  const { entry } = drops[type];
  if (entry === undefined) return [];
  return [gone(`${entry} ${old}`), perhaps(`${entry} ${relation.schemaname ?? schema}.${newname}`, true)];
}
