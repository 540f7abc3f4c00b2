import type { AlterTableCmd, ColumnDef, Node, PartitionSpec } from "libpg-query";
import { addColumn, addConstraint, collationOf, constraintOf, isNull, signatureOf } from "../schema/definition";
import type { Column, Table } from "../schema/objects";
import { emptyTable, madeKey, type Schema } from "../schema/schema";
import { columnType } from "../sql/column-type";
import { keyOf, type Name, nameOf, nameOfParts, partsOf } from "../sql/identifier";
import { columnsMentioned, tablesRead } from "../sql/references";
import { applyRoutine, dropRoutine } from "./apply-routine";
import { applyDependents } from "./dependents";
import { onTable } from "./drop-effect";

/** Enters what a statement does into the schema. Statements that don't change what the review asks for change nothing. */
export function apply(node: Node, schema: Schema, migration: string): void {
  applyTables(node, schema, migration);
  applyDependents(node, schema);
}

function applyTables(node: Node, schema: Schema, migration: string): void {
  const create = "CreateForeignTableStmt" in node ? node.CreateForeignTableStmt.base : undefined;
  if (create) apply({ CreateStmt: create }, schema, migration);
  else if ("CreateStmt" in node) {
    const { relation, tableElts, inhRelations, partspec, partbound, if_not_exists, constraints } = node.CreateStmt;
    if (!relation) return;
    const name = nameOf(relation);
    if (if_not_exists && schema.table(name)) return;
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
    for (const element of [...(tableElts ?? []), ...(constraints ?? [])])
      if ("ColumnDef" in element) addColumn(element.ColumnDef, table, schema);
      else if ("Constraint" in element) {
        const constraint = constraintOf(element.Constraint, name.name, schema);
        // NOT VALID means nothing for a table that is empty.
        if (constraint) addConstraint({ ...constraint, valid: true }, table, schema);
      } else if ("TableLikeClause" in element && element.TableLikeClause.relation) {
        const like = schema.table(nameOf(element.TableLikeClause.relation));
        table.known = like?.known ?? false;
        for (const [column, definition] of like?.columns ?? []) table.columns.set(column, { ...definition });
      }
  } else if ("CreateTableAsStmt" in node) {
    const { into, objtype } = node.CreateTableAsStmt;
    if (!into?.rel) return;
    const view = objtype === "OBJECT_MATVIEW";
    made(into.rel, view ? "materialized view" : "table", schema, migration, view ? node : undefined);
  } else if ("SelectStmt" in node && node.SelectStmt.intoClause?.rel)
    made(node.SelectStmt.intoClause.rel, "table", schema, migration);
  else if ("VariableSetStmt" in node) {
    if (node.VariableSetStmt.name === "timezone") schema.utc = isUtc(node.VariableSetStmt.args?.[0]);
  } else if ("ViewStmt" in node && node.ViewStmt.view) made(node.ViewStmt.view, "view", schema, migration, node);
  else if ("AlterTableStmt" in node) {
    const { relation, cmds, objtype } = node.AlterTableStmt;
    if (!relation || objtype === "OBJECT_INDEX" || objtype === "OBJECT_SEQUENCE" || objtype === "OBJECT_TYPE") return;
    const table = schema.require(nameOf(relation));
    for (const cmd of cmds ?? []) if ("AlterTableCmd" in cmd) alter(cmd.AlterTableCmd, table, schema);
  } else if ("IndexStmt" in node) {
    const { relation, idxname, indexParams = [], unique, whereClause } = node.IndexStmt;
    if (!relation) return;
    const table = schema.require(nameOf(relation));
    const columns = indexParams.map((item) => ("IndexElem" in item ? (item.IndexElem.name ?? "(expression)") : ""));
    const plain = columns.map((column) => (column === "(expression)" ? "expr" : column));
    const name = { ...table.name, name: idxname ?? [table.name.name, ...plain, "idx"].join("_") };
    schema.indexes.set(keyOf(name), {
      name,
      table: keyOf(table.name),
      unique: unique === true,
      columns,
      partial: whereClause !== undefined,
      signature: signatureOf(
        indexParams.map((item) => ("IndexElem" in item ? item.IndexElem : {})),
        whereClause,
      ),
      derivedFrom: [
        whereClause,
        ...indexParams.map((item) => ("IndexElem" in item ? item.IndexElem.expr : undefined)),
      ].flatMap((expression) => (expression ? [...columnsMentioned(expression)] : [])),
    });
  } else if ("DropStmt" in node) drop(node.DropStmt.removeType, node.DropStmt.objects ?? [], schema);
  else if ("RenameStmt" in node) rename(node, schema);
  else if ("AlterObjectSchemaStmt" in node) {
    const { relation, newschema } = node.AlterObjectSchemaStmt;
    if (relation && newschema !== undefined)
      schema.rename(nameOf(relation), { schema: newschema, name: relation.relname ?? "" });
  } else if ("CreatePolicyStmt" in node) {
    const { table, policy_name = "" } = node.CreatePolicyStmt;
    if (table) schema.require(nameOf(table)).policies.add(policy_name);
  } else applyType(node, schema, migration);
}

function applyType(node: Node, schema: Schema, migration: string): void {
  applyRoutine(node, schema);
  if ("CreateFunctionStmt" in node && partsOf(node.CreateFunctionStmt.returnType?.names).at(-1) === "trigger")
    schema.triggerFunctions.add(keyOf(nameOfParts(node.CreateFunctionStmt.funcname)));
  if ("CreateFunctionStmt" in node) schema.made.set(keyOf(nameOfParts(node.CreateFunctionStmt.funcname)), migration);
  if ("CreateSeqStmt" in node && node.CreateSeqStmt.sequence)
    schema.made.set(keyOf(nameOf(node.CreateSeqStmt.sequence)), migration);
  for (const key of objectsMade(node)) if (!schema.made.has(key)) schema.made.set(key, migration);
  if ("CreateEnumStmt" in node)
    schema.enums.set(keyOf(nameOfParts(node.CreateEnumStmt.typeName)), partsOf(node.CreateEnumStmt.vals));
  else if ("AlterEnumStmt" in node) {
    const { typeName, oldVal, newVal } = node.AlterEnumStmt;
    const values = schema.enums.get(keyOf(nameOfParts(typeName)));
    if (!values || newVal === undefined) return;
    if (oldVal === undefined) values.push(newVal);
    else if (values.includes(oldVal)) values[values.indexOf(oldVal)] = newVal;
  } else if ("CreateDomainStmt" in node) {
    const { domainname, typeName, constraints } = node.CreateDomainStmt;
    const key = keyOf(nameOfParts(domainname));
    schema.domainBases.set(key, columnType(typeName));
    if (constraints?.length) schema.domains.add(key);
    if (constraints?.some((each) => "Constraint" in each && each.Constraint.contype === "CONSTR_NOTNULL"))
      schema.requiredDomains.add(key);
  } else if ("AlterDomainStmt" in node) {
    const { subtype, typeName: domain } = node.AlterDomainStmt;
    const key = keyOf(nameOfParts(domain));
    if (subtype === "C" || subtype === "O") schema.domains.add(key);
    if (subtype === "O") schema.requiredDomains.add(key);
    if (subtype === "N") schema.requiredDomains.delete(key);
  }
}

/** Source: TimestampTimestampTzRequiresRewrite, which asks for a zone that is always at offset 0. */
function isUtc(value: Node | undefined): boolean {
  const zone = value && "A_Const" in value ? (value.A_Const as { sval?: { sval?: string } }).sval?.sval : undefined;
  return zone !== undefined && /^(etc\/)?(utc|gmt|uct|zulu|universal|greenwich)$/i.test(zone);
}

function keyColumns(spec: PartitionSpec | undefined): string[] | undefined {
  const columns = (spec?.partParams ?? []).map((item) =>
    "PartitionElem" in item ? item.PartitionElem.name : undefined,
  );
  return columns.every((column) => column !== undefined) && columns.length > 0 ? columns : undefined;
}

/** Types, schemas and roles that a statement makes, as {@link Schema.made} knows them. */
function objectsMade(node: Node): string[] {
  if ("CreateEnumStmt" in node) return [keyOf(nameOfParts(node.CreateEnumStmt.typeName))];
  if ("CreateDomainStmt" in node) return [keyOf(nameOfParts(node.CreateDomainStmt.domainname))];
  if ("CreateRangeStmt" in node) return [keyOf(nameOfParts(node.CreateRangeStmt.typeName))];
  if ("CompositeTypeStmt" in node && node.CompositeTypeStmt.typevar)
    return [keyOf(nameOf(node.CompositeTypeStmt.typevar))];
  if ("DefineStmt" in node) return [keyOf(nameOfParts(node.DefineStmt.defnames))];
  if ("CreateSchemaStmt" in node) return [madeKey("schema", node.CreateSchemaStmt.schemaname ?? "")];
  if ("CreateRoleStmt" in node) return [madeKey("role", node.CreateRoleStmt.role ?? "")];
  return [];
}

function made(
  relation: Parameters<typeof nameOf>[0],
  kind: Table["kind"],
  schema: Schema,
  migration: string,
  query?: Node,
): void {
  const name = nameOf(relation);
  const before = schema.table(name);
  const table = emptyTable(name, before?.madeIn ?? migration);
  table.kind = kind;
  table.known = false;
  if (query) {
    const tables = tablesRead(query).map((read) => keyOf(read.name));
    table.reads = { tables: new Set(tables.filter((key) => key !== keyOf(name))), columns: columnsMentioned(query) };
  }
  schema.tables.set(keyOf(name), table);
}

function alter(cmd: AlterTableCmd, table: Table, schema: Schema): void {
  const { subtype, name = "", def } = cmd;
  const column = table.columns.get(name);
  switch (subtype) {
    case "AT_AddColumn":
      if (def && "ColumnDef" in def && !(cmd.missing_ok && table.columns.has(def.ColumnDef.colname ?? "")))
        addColumn(def.ColumnDef, table, schema);
      break;
    case "AT_DropColumn":
      table.columns.delete(name);
      table.constraints = table.constraints.filter(
        ({ columns, mentions = [] }) => !columns.includes(name) && !mentions.includes(name),
      );
      for (const index of schema.indexesOf(keyOf(table.name)))
        if (index.columns.includes(name) || index.derivedFrom?.includes(name)) schema.indexes.delete(keyOf(index.name));
      break;
    case "AT_AlterColumnType":
      if (def && "ColumnDef" in def) alterType(table, column, name, def.ColumnDef);
      break;
    case "AT_ColumnDefault":
      if (column) column.filled = def !== undefined && !isNull(def);
      break;
    case "AT_SetNotNull":
    case "AT_DropNotNull":
      if (column) column.notNull = subtype === "AT_SetNotNull";
      break;
    case "AT_AddIdentity":
      if (column) column.filled = true;
      break;
    case "AT_AddConstraint": {
      if (!def || !("Constraint" in def)) break;
      const constraint = constraintOf(def.Constraint, table.name.name, schema);
      if (!constraint) break;
      // USING INDEX renames the index to the constraint.
      if (def.Constraint.indexname !== undefined)
        schema.indexes.delete(keyOf({ ...table.name, name: def.Constraint.indexname }));
      addConstraint(constraint, table, schema);
      break;
    }
    case "AT_DropConstraint":
      for (const { kind, name: dropped, columns } of table.constraints) {
        const nullable = kind === "not null" && dropped === name ? table.columns.get(columns[0] ?? "") : undefined;
        if (nullable) nullable.notNull = false;
      }
      table.constraints = table.constraints.filter((constraint) => constraint.name !== name);
      schema.indexes.delete(keyOf({ ...table.name, name }));
      break;
    case "AT_ValidateConstraint":
      for (const constraint of table.constraints)
        if (constraint.name === name) {
          constraint.valid = true;
          const target = constraint.kind === "not null" ? table.columns.get(constraint.columns[0] ?? "") : undefined;
          if (target) target.notNull = true;
        }
      break;
    case "AT_EnableRowSecurity":
    case "AT_DisableRowSecurity":
      table.rowSecurity = subtype === "AT_EnableRowSecurity";
      break;
    case "AT_AttachPartition":
    case "AT_DetachPartition": {
      const { name: relation, bound } = def && "PartitionCmd" in def ? def.PartitionCmd : {};
      const child = relation && schema.require(nameOf(relation));
      if (!child) break;
      if (subtype === "AT_AttachPartition") {
        child.parent = keyOf(table.name);
        child.isDefault = bound?.is_default === true;
        table.partitioned = true;
      } else {
        child.parent = undefined;
        child.isDefault = false;
      }
      break;
    }
  }
}

function alterType(table: Table, column: Column | undefined, name: string, definition: ColumnDef): void {
  const { collation: _, ...before } = column ?? { name, notNull: false, filled: false };
  table.columns.set(name, { ...before, type: columnType(definition.typeName), ...collationOf(definition) });
}

function drop(type: string | undefined, objects: readonly Node[], schema: Schema): void {
  for (const object of objects) {
    dropRoutine(type, object, schema);
    const name = nameOfParts(object);
    const key = keyOf(name);
    if (type === "OBJECT_TABLE" || type === "OBJECT_VIEW" || type === "OBJECT_MATVIEW") schema.drop(key);
    else if (type === "OBJECT_INDEX") schema.indexes.delete(key);
    else if (type === "OBJECT_POLICY") schema.table(onTable(object))?.policies.delete(partsOf(object).at(-1) ?? "");
    else if (type === "OBJECT_TYPE") schema.enums.delete(key);
    else if (type === "OBJECT_DOMAIN") {
      schema.domains.delete(key);
      schema.domainBases.delete(key);
      schema.requiredDomains.delete(key);
    } else if (type === "OBJECT_SCHEMA")
      for (const [table, { name: of }] of [...schema.tables])
        if ((of.schema ?? "public") === name.name) schema.drop(table);
  }
}

function rename(node: Extract<Node, { RenameStmt: unknown }>, schema: Schema): void {
  const { renameType, relation, subname = "", newname = "", object } = node.RenameStmt;
  const from: Name | undefined = relation && nameOf(relation);
  const to = from && { ...from, name: newname };
  const table = from && schema.table(from);
  if (renameType === "OBJECT_TABLE" || renameType === "OBJECT_VIEW" || renameType === "OBJECT_MATVIEW") {
    if (from && to) schema.rename(from, to);
  } else if (renameType === "OBJECT_INDEX" && from && to) {
    const index = schema.indexes.get(keyOf(from));
    if (!index) return;
    schema.indexes.delete(keyOf(from));
    schema.indexes.set(keyOf(to), { ...index, name: to });
    for (const constraint of schema.tables.get(index.table)?.constraints ?? [])
      if (constraint.name === from.name) constraint.name = newname;
  } else if (renameType === "OBJECT_COLUMN" && table) renameColumn(table, subname, newname, schema);
  else if (renameType === "OBJECT_TABCONSTRAINT" && table) {
    for (const constraint of table.constraints) if (constraint.name === subname) constraint.name = newname;
    const index = schema.indexes.get(keyOf({ ...table.name, name: subname }));
    if (index) {
      schema.indexes.delete(keyOf(index.name));
      schema.indexes.set(keyOf({ ...table.name, name: newname }), { ...index, name: { ...table.name, name: newname } });
    }
  } else if (renameType === "OBJECT_TYPE") {
    const old = nameOfParts(object);
    renameEnum(keyOf(old), keyOf({ ...old, name: newname }), schema);
  }
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
  for (const index of schema.indexesOf(keyOf(table.name))) {
    index.columns = renamed(index.columns);
    index.derivedFrom = renamed(index.derivedFrom ?? []);
  }
}

function renameEnum(from: string, to: string, schema: Schema): void {
  const values = schema.enums.get(from);
  if (values) {
    schema.enums.delete(from);
    schema.enums.set(to, values);
  }
  for (const { table, column } of schema.using(from))
    table.columns.set(column.name, { ...column, type: column.type && { ...column.type, name: to } });
}
