import type { Node } from "libpg-query";
import { dependentsOn } from "../../migrations/schema/dependents";
import type { Dependent } from "../../migrations/schema/objects";
import { useOf } from "../../migrations/schema/uses";
import { identifier, keyOf, type Name, nameOf, nameOfParts } from "../../migrations/sql/identifier";
import { type Context, columnText, type JudgedStatement, tableText, target } from "./context";

/** What Postgres refuses because of something that the history has made and that still depends on it. */
export function judgeDependents(statement: JudgedStatement, context: Context): void {
  const { node } = statement;
  if ("DropStmt" in node) drop(statement, node.DropStmt, context);
  else if ("AlterTableStmt" in node && node.AlterTableStmt.relation) {
    const name = nameOf(node.AlterTableStmt.relation);
    for (const item of node.AlterTableStmt.cmds ?? [])
      if ("AlterTableCmd" in item) alter(statement, name, item.AlterTableCmd, context);
  }
}

function refused(
  statement: JudgedStatement,
  context: Context,
  about: string,
  what: string,
  by: readonly string[],
  hint: string,
): void {
  if (by.length === 0) return;
  context.report(
    {
      rule: "has-dependents",
      classes: ["failing"],
      severity: "error",
      target: about,
      what: `Postgres refuses to ${what}: ${[...new Set(by)].join(", ")} ${by.length === 1 ? "depends" : "depend"} on it.`,
      who: "The release stops here.",
      howLong: "always",
      safe: { migrations: [], note: hint },
    },
    statement,
  );
}

const first = "Drop or change first what depends on it; CASCADE would drop that too.";

function drop(
  statement: JudgedStatement,
  { removeType, objects, behavior }: Extract<Node, { DropStmt: unknown }>["DropStmt"],
  context: Context,
): void {
  if (behavior === "DROP_CASCADE") return;
  const { schema } = context;
  const names = (objects ?? []).map((object) => nameOfParts(object));
  const together = new Set(names.map(keyOf));
  for (const name of names) {
    const key = keyOf(name);
    const report = (word: string, by: readonly string[]) =>
      refused(statement, context, key, `drop the ${word} ${tableText(name)}`, by, first);
    switch (removeType) {
      case "OBJECT_TABLE":
        report("table", [
          ...labels(dependentsOn(schema, useOf("table", key), together)),
          ...keysTo(key, undefined, context)
            .filter(({ table }) => !together.has(table))
            .map(({ label }) => label),
        ]);
        break;
      case "OBJECT_VIEW":
      case "OBJECT_MATVIEW":
        report(
          removeType === "OBJECT_VIEW" ? "view" : "materialized view",
          labels(dependentsOn(schema, useOf("table", key), together)),
        );
        break;
      case "OBJECT_FUNCTION":
        // Of several functions with one name it isn't known which one is meant.
        if (schema.routines.get(key)?.overloads === 1)
          report("function", labels(dependentsOn(schema, useOf("function", key))));
        break;
      case "OBJECT_SEQUENCE":
        report("sequence", labels(dependentsOn(schema, useOf("sequence", key))));
        break;
      case "OBJECT_TYPE":
      case "OBJECT_DOMAIN":
        report(
          "type",
          schema.using(key).map(({ table, column }) => `column ${columnText(table.name, column.name)}`),
        );
        break;
      case "OBJECT_SCHEMA":
        report("schema", inSchema(name.name, context));
        break;
      case "OBJECT_EXTENSION":
        report("extension", usersOf(name.name, context));
        break;
      case "OBJECT_INDEX": {
        const index = schema.indexes.get(key);
        const constraint = schema.tables
          .get(index?.table ?? "")
          ?.constraints.find((each) => each.name === name.name && each.kind !== "foreign" && each.kind !== "check");
        if (index && constraint)
          report("index", [`constraint ${identifier(constraint.name)} on ${identifier(index.table)}`]);
        break;
      }
      default:
    }
  }
}

/** What the history has made in a schema and not dropped since. */
function inSchema(name: string, { schema }: Context): string[] {
  const within = (key: string) => (name === "public" ? !key.includes(".") : key.startsWith(`${name}.`));
  const tables = [...schema.tables.values()].filter(({ madeIn }) => madeIn !== undefined);
  const types = [...schema.enums.keys(), ...schema.domainBases.keys()];
  return [
    ...tables.filter(({ name: of }) => within(keyOf(of))).map(({ kind, name: of }) => `${kind} ${tableText(of)}`),
    ...[...schema.routines.keys()].filter(within).map((key) => `function ${key}`),
    ...types.filter(within).map((key) => `type ${key}`),
  ];
}

/** What tables get from the extensions that are used most: types of columns, functions in defaults and the like, operator classes. */
const extensions: Readonly<Record<string, readonly string[]>> = {
  citext: ["citext"],
  cube: ["cube"],
  hstore: ["hstore"],
  ltree: ["ltree", "lquery", "ltxtquery"],
  pg_trgm: ["gin_trgm_ops", "gist_trgm_ops", "similarity"],
  pgcrypto: ["crypt", "gen_salt", "digest", "hmac", "gen_random_bytes"],
  postgis: ["geometry", "geography"],
  unaccent: ["unaccent"],
  "uuid-ossp": ["uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4", "uuid_nil"],
  vector: ["vector", "halfvec", "sparsevec"],
};

function usersOf(extension: string, { schema }: Context): string[] {
  return (extensions[extension] ?? []).flatMap((name) => [
    ...schema.using(name).map(({ table, column }) => `column ${columnText(table.name, column.name)}`),
    ...labels(dependentsOn(schema, useOf("function", name))),
    ...[...schema.indexes.values()]
      .filter(({ signature }) => signature.includes(`"${name}"`))
      .map((index) => `index ${identifier(index.name.name)} on ${identifier(index.table)}`),
  ]);
}

function labels(dependents: readonly Dependent[]): string[] {
  return dependents.map(({ label }) => label);
}

/** Foreign keys of other tables to a table, or to just these columns of it. */
function keysTo(
  key: string,
  columns: readonly string[] | undefined,
  { schema }: Context,
): { table: string; label: string }[] {
  const primary = schema.tables.get(key)?.constraints.find(({ kind }) => kind === "primary")?.columns ?? [];
  return schema.referencing(key).flatMap(({ name, constraints }) =>
    constraints
      .filter(({ references, referenced = [] }) => {
        const to = referenced.length > 0 ? referenced : primary;
        return references === key && (columns === undefined || same(to, columns));
      })
      .map((each) => ({ table: keyOf(name), label: `foreign key ${identifier(each.name)} of ${tableText(name)}` })),
  );
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each) => b.includes(each));
}

type Command = Extract<Node, { AlterTableCmd: unknown }>["AlterTableCmd"];

function alter(
  statement: JudgedStatement,
  name: Name,
  { subtype, name: column = "", behavior }: Command,
  context: Context,
): void {
  const { schema } = context;
  const key = keyOf(name);
  const cascades = behavior === "DROP_CASCADE";
  const users = dependentsOn(schema, useOf("column", key, column)).filter(
    (each) => !(each.table === key && each.column === column),
  );
  if (subtype === "AT_DropColumn" && !cascades) {
    // Its own indexes, checks and default go with it.
    const kept = users.filter((each) => each.table !== key || ["trigger", "policy", "generated"].includes(each.kind));
    const keys = keysTo(key, [column], context).map(({ label }) => label);
    refused(
      statement,
      context,
      target(name, column),
      `drop the column ${columnText(name, column)}`,
      [...labels(kept), ...keys],
      first,
    );
  } else if (subtype === "AT_AlterColumnType") {
    const kept = users.filter(({ kind }) => ["view", "trigger", "policy", "generated"].includes(kind));
    refused(
      statement,
      context,
      target(name, column),
      `change the type of ${columnText(name, column)}, whatever the new one is`,
      labels(kept),
      "Drop what depends on it first, and make it again after, in the same migration.",
    );
  } else if (subtype === "AT_DropConstraint" && !cascades) {
    const constraint = context.table(name)?.constraints.find((each) => each.name === column);
    if (constraint?.kind !== "primary" && constraint?.kind !== "unique") return;
    const others = schema
      .indexesOf(key)
      .filter((each) => each.unique && each.name.name !== column && same(each.columns, constraint.columns));
    if (others.length > 0) return;
    const keys = keysTo(key, constraint.columns, context).map(({ label }) => label);
    refused(
      statement,
      context,
      target(name, column),
      `drop the constraint ${identifier(column)} of ${tableText(name)}`,
      keys,
      first,
    );
  }
}
