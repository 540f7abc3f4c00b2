import type { AlterDomainStmt, Node } from "libpg-query";
import { defined, partsName, there } from "../schema/expectation";
import type { Schema } from "../schema/schema";
import { columnType } from "../sql/column-type";
import { identifier, keyOf, literal, type Name, nameOf, nameOfParts, nameText, partsOf } from "../sql/identifier";
import type { Drops, Family } from "./family";
import { defines, outside } from "./replay-rules";
import { type Before, notInHistory, type Undo } from "./undo";

type TypeKinds =
  | "CreateEnumStmt"
  | "AlterEnumStmt"
  | "CreateDomainStmt"
  | "AlterDomainStmt"
  | "CompositeTypeStmt"
  | "CreateRangeStmt"
  | "AlterTypeStmt"
  | "DefineStmt"
  | "CreateCastStmt"
  | "CreateConversionStmt"
  | "AlterCollationStmt"
  | "CreateOpClassStmt"
  | "CreateOpFamilyStmt"
  | "AlterOpFamilyStmt"
  | "AlterOperatorStmt"
  | "CreateTransformStmt"
  | "AlterTSConfigurationStmt"
  | "AlterTSDictionaryStmt";

/** Statements about enums, domains and other types, and about how values are compared, converted and searched. */
export const types: Family<TypeKinds> = {
  CreateEnumStmt: {
    opinion: "harmless",
    kind: () => "CREATE TYPE",
    apply(statement, schema, migration) {
      const { typeName, vals } = statement;
      const key = keyOf(nameOfParts(typeName));
      noteMade(key, schema, migration, { CreateEnumStmt: statement });
      schema.enums.set(key, partsOf(vals));
    },
    expect: ({ typeName }, schema) => [there(`type ${partsName(typeName, schema)}`)],
    replay: defines,
    undo: ({ typeName }) => dropType("TYPE", nameOfParts(typeName)),
  },
  AlterEnumStmt: {
    opinion: "judged",
    kind: () => "ALTER TYPE",
    apply({ typeName, oldVal, newVal }, schema) {
      const values = schema.enums.get(keyOf(nameOfParts(typeName)));
      if (!values || newVal === undefined) return;
      schema.definitions?.giveUp({ kind: "type", key: keyOf(nameOfParts(typeName)) });
      if (oldVal === undefined) values.push(newVal);
      else if (values.includes(oldVal)) values[values.indexOf(oldVal)] = newVal;
    },
    expect({ typeName, newVal }, schema) {
      if (!newVal) return [];
      const value = literal(newVal);
      const matches = new RegExp(`[( ]${value.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}[,)]`);
      return [defined(`type ${partsName(typeName, schema)}`, matches, `value ${value}`)];
    },
    replay: defines,
    undo({ typeName, oldVal, newVal = "", skipIfNewValExists }, { schema }) {
      const name = nameOfParts(typeName);
      const of = { kind: "type", key: keyOf(name) } as const;
      if (oldVal !== undefined)
        return [{ of, sql: [`ALTER TYPE ${nameText(name)} RENAME VALUE ${literal(newVal)} TO ${literal(oldVal)}`] }];
      if (skipIfNewValExists && schema.enums.get(of.key)?.includes(newVal)) return [];
      const never = `Postgres can't take the value ${literal(newVal)} out of an enum; nothing has to use it`;
      return [{ of, harmless: true, never }];
    },
  },
  CreateDomainStmt: {
    opinion: "harmless",
    kind: () => "CREATE DOMAIN",
    apply(statement, schema, migration) {
      const { domainname, typeName, constraints = [] } = statement;
      const key = keyOf(nameOfParts(domainname));
      noteMade(key, schema, migration, { CreateDomainStmt: statement });
      schema.domainBases.set(key, columnType(typeName));
      if (constraints.length > 0) schema.domains.add(key);
      if (constraints.some((each) => "Constraint" in each && each.Constraint.contype === "CONSTR_NOTNULL"))
        schema.requiredDomains.add(key);
    },
    expect: ({ domainname }, schema) => [there(`type ${partsName(domainname, schema)}`)],
    replay: defines,
    undo: ({ domainname }) => dropType("DOMAIN", nameOfParts(domainname)),
  },
  AlterDomainStmt: {
    opinion: "judged",
    lock({ subtype, def, typeName }, schema, effects) {
      // The subtypes C, O and V are ADD CONSTRAINT, SET NOT NULL and VALIDATE CONSTRAINT.
      const checks = subtype === "C" || subtype === "O" || subtype === "V";
      const later = def !== undefined && "Constraint" in def && def.Constraint.skip_validation === true;
      if (!checks || later) return;
      for (const { table } of schema.using(keyOf(nameOfParts(typeName))))
        effects.touch(table.name, "SHARE", "scan", "every value of the domain is checked");
    },
    apply({ subtype, typeName }, schema) {
      const key = keyOf(nameOfParts(typeName));
      if (subtype === "C" || subtype === "O") schema.domains.add(key);
      if (subtype === "O") schema.requiredDomains.add(key);
      if (subtype === "N") schema.requiredDomains.delete(key);
      schema.definitions?.giveUp({ kind: "type", key });
    },
    replay: defines,
    undo: alterDomainBack,
  },
  CompositeTypeStmt: {
    opinion: "harmless",
    kind: () => "CREATE TYPE",
    apply: (statement, schema, migration) =>
      statement.typevar &&
      noteMade(keyOf(nameOf(statement.typevar)), schema, migration, { CompositeTypeStmt: statement }),
    replay: defines,
    undo: ({ typevar }) => (typevar ? dropType("TYPE", nameOf(typevar)) : []),
  },
  CreateRangeStmt: {
    opinion: "harmless",
    kind: () => "CREATE TYPE",
    apply: (statement, schema, migration) =>
      noteMade(keyOf(nameOfParts(statement.typeName)), schema, migration, { CreateRangeStmt: statement }),
    replay: defines,
    undo: ({ typeName }) => dropType("TYPE", nameOfParts(typeName)),
  },
  AlterTypeStmt: { opinion: { unknown: "it changes how values of the type are stored or read" }, replay: defines },
  DefineStmt: {
    opinion: "harmless",
    apply: ({ defnames }, schema, migration) => noteMade(keyOf(nameOfParts(defnames)), schema, migration),
    replay: ({ kind }) =>
      kind === "OBJECT_AGGREGATE" || kind === "OBJECT_COLLATION" || kind === "OBJECT_TSCONFIGURATION"
        ? "run"
        : outside("it defines an operator or a base type"),
  },
  CreateCastStmt: { opinion: { unknown: "it changes how values are converted in queries that exist" } },
  CreateConversionStmt: { opinion: { unknown: "it changes how text is converted between encodings" } },
  AlterCollationStmt: { opinion: "harmless" },
  CreateOpClassStmt: { opinion: "harmless" },
  CreateOpFamilyStmt: { opinion: "harmless" },
  AlterOpFamilyStmt: { opinion: { unknown: "it changes which indexes can serve which queries" } },
  AlterOperatorStmt: { opinion: { unknown: "it changes how queries with the operator are planned" } },
  CreateTransformStmt: { opinion: "harmless" },
  AlterTSConfigurationStmt: { opinion: { unknown: "it changes what full text searches find" } },
  AlterTSDictionaryStmt: { opinion: { unknown: "it changes what full text searches find" } },
};

function noteMade(key: string, schema: Schema, migration: string, node?: Node): void {
  if (!schema.made.has(key)) schema.made.set(key, migration);
  if (node) schema.definitions?.set({ kind: "type", key }, node);
}

function dropType(kind: "TYPE" | "DOMAIN", name: Name): Undo[] {
  return [
    { of: { kind: "type", key: keyOf(name) }, sql: [`DROP ${kind} ${nameText(name)}`], drops: true, after: true },
  ];
}

/** The subtypes C, O and N are ADD CONSTRAINT, SET NOT NULL and DROP NOT NULL. */
function alterDomainBack({ subtype, typeName, def }: AlterDomainStmt, { schema }: Before): Undo[] {
  const name = nameOfParts(typeName);
  const of = { kind: "type", key: keyOf(name) } as const;
  const known = schema.definitions?.has(of) === true;
  const required = schema.requiredDomains.has(of.key);
  const constraint = def && "Constraint" in def ? def.Constraint.conname : undefined;
  const head = `ALTER DOMAIN ${nameText(name)}`;
  if (subtype === "C" && constraint !== undefined)
    return [{ of, sql: [`${head} DROP CONSTRAINT ${identifier(constraint)}`] }];
  if (!known || (subtype !== "O" && subtype !== "N")) return [{ of, never: notInHistory }];
  if (required === (subtype === "O")) return [];
  return [{ of, sql: [`${head} ${required ? "SET" : "DROP"} NOT NULL`] }];
}

/** Updates the schema after a type was renamed, including the columns of that type. */
export function renameType(from: string, to: string, schema: Schema): void {
  schema.definitions?.renameType(from, to);
  const values = schema.enums.get(from);
  if (values) {
    schema.enums.delete(from);
    schema.enums.set(to, values);
  }
  for (const { table, column } of schema.using(from))
    table.columns.set(column.name, { ...column, type: column.type && { ...column.type, name: to } });
}

type TypeObjects =
  | "OBJECT_TYPE"
  | "OBJECT_DOMAIN"
  | "OBJECT_CAST"
  | "OBJECT_COLLATION"
  | "OBJECT_CONVERSION"
  | "OBJECT_OPCLASS"
  | "OBJECT_OPERATOR"
  | "OBJECT_OPFAMILY"
  | "OBJECT_TRANSFORM"
  | "OBJECT_TSCONFIGURATION"
  | "OBJECT_TSDICTIONARY"
  | "OBJECT_TSPARSER"
  | "OBJECT_TSTEMPLATE";

const lockUsers: Drops<"OBJECT_TYPE">["OBJECT_TYPE"]["lock"] = (name, schema, effects, { behavior }) => {
  if (behavior !== "DROP_CASCADE") return;
  for (const { table } of schema.using(keyOf(name))) effects.touch(table.name, "ACCESS EXCLUSIVE");
};

/** The rules for DROP of types and of objects that belong to types. */
export const typeDrops: Drops<TypeObjects> = {
  OBJECT_TYPE: {
    opinion: "judged",
    entry: "type",
    lock: lockUsers,
    apply: (name, schema) => schema.enums.delete(keyOf(name)),
    undo(name, { schema }, { behavior }) {
      // The values of an enum are known also after ALTER TYPE.
      const values = behavior === "DROP_CASCADE" ? undefined : schema.enums.get(keyOf(name));
      const list = values?.map(literal).join(", ");
      return list === undefined
        ? undefined
        : [{ of: { kind: "type", key: keyOf(name) }, sql: [`CREATE TYPE ${nameText(name)} AS ENUM (${list})`] }];
    },
  },
  OBJECT_DOMAIN: {
    opinion: "judged",
    entry: "type",
    lock: lockUsers,
    apply(name, schema) {
      for (const domains of [schema.domains, schema.domainBases, schema.requiredDomains]) domains.delete(keyOf(name));
    },
  },
  OBJECT_CAST: { opinion: { unknown: "queries that rely on the conversion fail" } },
  OBJECT_COLLATION: { opinion: "harmless" },
  OBJECT_CONVERSION: { opinion: { unknown: "clients that rely on the conversion fail" } },
  OBJECT_OPCLASS: { opinion: "harmless" },
  OBJECT_OPERATOR: { opinion: { unknown: "queries that use the operator fail" } },
  OBJECT_OPFAMILY: { opinion: "harmless" },
  OBJECT_TRANSFORM: { opinion: { unknown: "functions that use it get other values" } },
  OBJECT_TSCONFIGURATION: { opinion: { unknown: "searches that name it fail" } },
  OBJECT_TSDICTIONARY: { opinion: { unknown: "searches that name it fail" } },
  OBJECT_TSPARSER: { opinion: "harmless" },
  OBJECT_TSTEMPLATE: { opinion: "harmless" },
};
