import type { Node } from "libpg-query";
import { dependentsOn } from "../../migrations/schema/dependents";
import type { Dependent } from "../../migrations/schema/objects";
import type { Schema } from "../../migrations/schema/schema";
import { useOf } from "../../migrations/schema/uses";
import { keyOf, type Name, nameOfParts } from "../../migrations/sql/identifier";
import type { Facts } from "../facts";
import { code, named, target } from "../names";
import { type Command, commandsOf } from "../prepare/commands";
import { extensionUsers } from "../prepare/extension-users";
import { type Draft, defineRule } from "./rule";
import { always, stops } from "./words";

type Found = Draft<"has-dependents">;

const dropFirst = "Drop or change first what depends on it; CASCADE would drop that too.";

/** This rule reports a change that Postgres refuses because an object of the history depends on the changed one. */
export const hasDependents = defineRule({
  finds: {
    "has-dependents": {
      classes: ["failing"],
      bad: "ALTER TABLE users DROP COLUMN name;",
      good: "DROP VIEW names;\nALTER TABLE users DROP COLUMN name;",
    },
  },
  statement({ node }, facts) {
    if ("DropStmt" in node) return dropped(node.DropStmt, facts.schema);
    return commandsOf(node).flatMap((command) => altered(command, facts));
  },
});

function refused(about: string, what: string, by: readonly string[], hint = dropFirst): Found[] {
  if (by.length === 0) return [];
  const labels = [...new Set(by)];
  return [
    {
      rule: "has-dependents",
      severity: "error",
      target: about,
      what: `Postgres refuses to ${what}: ${labels.join(", ")} ${labels.length === 1 ? "depends" : "depend"} on it.`,
      who: stops,
      howLong: always,
      safe: { migrations: [], note: hint },
    },
  ];
}

function dropped(
  { removeType, objects, behavior }: Extract<Node, { DropStmt: unknown }>["DropStmt"],
  schema: Schema,
): Found[] {
  if (behavior === "DROP_CASCADE") return [];
  const names = (objects ?? []).map((object) => nameOfParts(object));
  const together = new Set(names.map(keyOf));
  return names.flatMap((name) => {
    const [word, by] = dependents(removeType, name, together, schema);
    return refused(keyOf(name), `drop ${word} ${named(name)}`, by);
  });
}

/** Returns the word for a dropped object, and the objects that depend on it. */
function dependents(
  type: string | undefined,
  name: Name,
  together: ReadonlySet<string>,
  schema: Schema,
): readonly [word: string, by: readonly string[]] {
  const key = keyOf(name);
  const users = (of: "table" | "function" | "sequence") =>
    labels(dependentsOn(schema, useOf(of, key), of === "table" ? together : undefined));
  switch (type) {
    case "OBJECT_TABLE": {
      const keys = keysTo(key, undefined, schema).filter(({ table }) => !together.has(table));
      return ["table", [...users("table"), ...keys.map(({ label }) => label)]];
    }
    case "OBJECT_VIEW":
      return ["view", users("table")];
    case "OBJECT_MATVIEW":
      return ["materialized view", users("table")];
    case "OBJECT_FUNCTION":
      // If several functions have the name, it is unknown which one is meant.
      return ["function", schema.routines.get(key)?.overloads === 1 ? users("function") : []];
    case "OBJECT_SEQUENCE":
      return ["sequence", users("sequence")];
    case "OBJECT_TYPE":
    case "OBJECT_DOMAIN":
      return ["type", schema.using(key).map(({ table, column }) => `column ${column.name} of ${target(table.name)}`)];
    case "OBJECT_SCHEMA":
      return ["schema", inSchema(name.name, schema)];
    case "OBJECT_EXTENSION":
      return ["extension", extensionUsers(name.name, schema)];
    case "OBJECT_INDEX":
      return ["index", constraintsOf(name, schema)];
    default:
      return ["", []];
  }
}

function constraintsOf(name: Name, schema: Schema): string[] {
  const table = schema.indexes.get(keyOf(name))?.table ?? "";
  return (schema.tables.get(table)?.constraints ?? [])
    .filter((each) => each.name === name.name && each.kind !== "foreign" && each.kind !== "check")
    .map((each) => `constraint ${each.name} on ${table}`);
}

/** Lists the objects that the history has made in a schema and not dropped since. */
function inSchema(name: string, schema: Schema): string[] {
  const within = (key: string) => (name === "public" ? !key.includes(".") : key.startsWith(`${name}.`));
  const tables = [...schema.tables.values()].filter(({ madeIn }) => madeIn !== undefined);
  const types = [...schema.enums.keys(), ...schema.domainBases.keys()];
  return [
    ...tables.filter(({ name: of }) => within(keyOf(of))).map(({ kind, name: of }) => `${kind} ${target(of)}`),
    ...[...schema.routines.keys()].filter(within).map((key) => `function ${key}`),
    ...types.filter(within).map((key) => `type ${key}`),
  ];
}

function altered({ cmd, table: name, column }: Command, facts: Facts): Found[] {
  const { schema } = facts;
  const key = keyOf(name);
  const keys = (columns: readonly string[]) => keysTo(key, columns, schema).map(({ label }) => label);
  const usersOf = (kept: (each: Dependent) => boolean) =>
    labels(
      dependentsOn(schema, useOf("column", key, column)).filter(
        (each) => !(each.table === key && each.column === column) && kept(each),
      ),
    );
  if (cmd.subtype === "AT_AlterColumnType")
    return refused(
      target(name, column),
      `change the type of ${named(name, column)}, whatever the new one is`,
      usersOf(({ kind }) => ["view", "trigger", "policy", "generated"].includes(kind)),
      "Drop what depends on it first, and create it again afterwards, in the same migration.",
    );
  if (cmd.behavior === "DROP_CASCADE") return [];
  if (cmd.subtype === "AT_DropColumn") {
    // Postgres drops the column's own indexes, checks and default together with the column.
    const users = usersOf((each) => each.table !== key || ["trigger", "policy", "generated"].includes(each.kind));
    return refused(target(name, column), `drop column ${named(name, column)}`, [...users, ...keys([column])]);
  }
  if (cmd.subtype !== "AT_DropConstraint") return [];
  const constraint = facts.table(name)?.constraints.find((each) => each.name === column);
  if (constraint?.kind !== "primary" && constraint?.kind !== "unique") return [];
  const others = schema
    .indexesOf(key)
    .some((each) => each.unique && each.name.name !== column && same(each.columns, constraint.columns));
  if (others) return [];
  return refused(target(name, column), `drop constraint ${code(column)} of ${named(name)}`, keys(constraint.columns));
}

/** Lists the foreign keys of other tables that reference a table, or exactly these columns of it. */
function keysTo(key: string, columns: readonly string[] | undefined, schema: Schema) {
  const primary = schema.tables.get(key)?.constraints.find(({ kind }) => kind === "primary")?.columns ?? [];
  return schema.referencing(key).flatMap(({ name, constraints }) =>
    constraints
      .filter(({ references, referenced = [] }) => {
        const to = referenced.length > 0 ? referenced : primary;
        return references === key && (columns === undefined || same(to, columns));
      })
      .map((each) => ({ table: keyOf(name), label: `foreign key ${each.name} of ${target(name)}` })),
  );
}

function labels(found: readonly Dependent[]): string[] {
  return found.map(({ label }) => label);
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each) => b.includes(each));
}
