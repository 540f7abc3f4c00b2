import type { RangeVar, TypeName } from "libpg-query";
import type { Schema } from "../schema/schema";
import { isPartOf, objectId, objectText, type SchemaObject } from "../schema/schema-object";
import { useOf } from "../schema/uses";
import { treeText } from "../sql/expression";
import { keyOf, nameOf, nameOfParts, nameText } from "../sql/identifier";
import { parseScript } from "../sql/parse";
import type { Inverse } from "../statements/undo";
import { exists } from "./exists";

/**
 * What the schema shows of an object, by the names of what it shows: the object's own definition and, if the object is to
 * be dropped, the definitions of everything that is a part of it or depends on it. Two such lists are compared to see
 * what later migrations have built upon it.
 */
function factsOf({ of, drops }: Inverse, needs: readonly SchemaObject[], schema: Schema): Map<string, string> {
  const facts = new Map<string, string>();
  for (const need of needs) {
    if (exists(schema, need)) facts.set(objectText(need), "");
    // A partition must have the columns and constraints that its table has.
    if (of.kind === "bound of")
      for (const { object } of schema.definitions?.list() ?? [])
        if (/^(column|constraint)$/.test(object.kind) && isPartOf(object, need))
          facts.set(objectText(object), definitionText(object, schema));
  }
  if (!exists(schema, of)) return facts;
  // A change of another property of a column, or of a table, doesn't concern what isn't dropped.
  const whole = of.kind === "column" || of.kind === "table";
  facts.set(objectText(of), whole && !drops ? "" : definitionText(of, schema));
  if (!drops) return facts;
  for (const each of schema.definitions?.list() ?? []) {
    const { object, table, columns } = each;
    const inColumn = of.kind === "column" && (table ?? object.key) === of.key && columns?.includes(of.part ?? "");
    const inSchema = of.kind === "schema" && object.key.startsWith(`${of.key}.`);
    if (isPartOf(object, of) || (of.kind === "table" && table === of.key) || inColumn || inSchema)
      facts.set(objectText(object), definitionText(object, schema));
  }
  for (const label of dependentsOf(of, schema)) facts.set(label, "");
  return facts;
}

function definitionText(object: SchemaObject, schema: Schema): string {
  const column = schema.tables.get(object.key)?.columns.get(object.part ?? "");
  if (object.kind === "NOT NULL of") return String(column?.notNull);
  const node = schema.definitions?.get(object.kind === "type of" ? { ...object, kind: "column" } : object)?.node;
  return treeText([node, object.kind === "column" && column]);
}

/** What else depends on an object, as text for a person. */
export function dependentsOf(of: SchemaObject, schema: Schema): string[] {
  const { kind, key, part = "" } = of;
  switch (kind) {
    case "table":
    case "view":
      return [
        ...schema.children(key).map(({ name }) => `partition or child ${nameText(name)}`),
        ...usersOf(schema, key, (use) => use === useOf("table", key) || use.startsWith(`${useOf("column", key)}:`)),
        ...schema
          .referencing(key)
          .flatMap(({ name, constraints }) =>
            constraints.flatMap((each) =>
              each.references === key ? `foreign key ${each.name} of ${nameText(name)}` : [],
            ),
          ),
      ];
    case "column":
      return [
        ...usersOf(schema, key, (use) => use === useOf("column", key, part)),
        ...foreignKeysTo(schema, key, [part]),
      ];
    case "constraint": {
      const constraint = schema.tables.get(key)?.constraints.find(({ name }) => name === part);
      return constraint ? foreignKeysTo(schema, key, constraint.columns) : [];
    }
    case "function":
      return [
        ...usersOf(schema, undefined, (use) => use === useOf("function", key)),
        ...[...schema.triggers.values()].flatMap(({ name, table, routine }) =>
          routine === key ? `trigger ${name} on ${table}` : [],
        ),
      ];
    case "sequence":
      return usersOf(schema, undefined, (use) => use === useOf("sequence", key));
    case "type":
      return schema.using(key).map(({ table, column }) => `column ${column.name} of ${nameText(table.name)}`);
    default:
      return [];
  }
}

/** The views, defaults, triggers and others that use something, apart from parts of the object itself. */
function usersOf(schema: Schema, own: string | undefined, is: (use: string) => boolean): string[] {
  return [...schema.dependents.values()].flatMap(({ label, table, uses }) =>
    table !== own && [...uses].some(is) ? label : [],
  );
}

function foreignKeysTo(schema: Schema, key: string, columns: readonly string[]): string[] {
  return columns.flatMap((column) =>
    schema
      .pointingTo(key, column)
      .flatMap(({ name, constraints }) =>
        constraints.flatMap(({ references, name: constraint }) =>
          references === key ? `foreign key ${constraint} of ${nameText(name)}` : [],
        ),
      ),
  );
}

/** The objects that the SQL of an inverse names, besides the one that it is about. */
function needsOf({ of, sql, columns = [] }: Inverse, schema: Schema): SchemaObject[] {
  const found = new Map<string, SchemaObject>();
  const add = (object: SchemaObject) => {
    if (objectId(object) !== objectId(of) && exists(schema, object)) found.set(objectId(object), object);
  };
  const place = schema.definitions?.get(of)?.table ?? of.key;
  for (const part of columns) add({ kind: "column", key: place, part });
  for (const piece of sql)
    for (const { node } of parseScript(piece)) for (const object of objectsNamed(node)) add(object);
  return [...found.values()];
}

/** Every relation and type that a statement names. */
export function objectsNamed(tree: unknown): SchemaObject[] {
  if (typeof tree !== "object" || tree === null) return [];
  const inside = Object.values(tree).flatMap(objectsNamed);
  if (isRelation(tree)) return [{ kind: "table", key: keyOf(nameOf(tree)) }, ...inside];
  return isType(tree) ? [{ kind: "type", key: keyOf(nameOfParts(tree.names)) }, ...inside] : inside;
}

function isRelation(tree: object): tree is RangeVar {
  return "relname" in tree && "relpersistence" in tree;
}

function isType(tree: object): tree is Required<Pick<TypeName, "names">> {
  return "names" in tree && "typemod" in tree;
}

/** What a later migration has done that keeps an object from being taken back. */
export interface BuiltUpon {
  readonly migration: string;
  /** The object that would be taken back. */
  readonly object: string;
  /** What the migration has made or changed of it; the object itself if it was dropped or renamed. */
  readonly what: string;
  readonly how: "made" | "changed" | "gone";
}

/** Follows what later migrations build upon the objects that are to be taken back. */
export class Later {
  readonly #needs: Map<Inverse, SchemaObject[]>;
  readonly #first: Map<Inverse, Map<string, string>>;
  readonly #last: Map<Inverse, Map<string, string>>;
  /** The migration that gave each fact the value that it has. */
  readonly #by = new Map<string, string>();

  /** @param schema the schema after the migration that is to be taken back */
  constructor(inverses: readonly Inverse[], schema: Schema) {
    this.#needs = new Map(inverses.map((inverse) => [inverse, needsOf(inverse, schema)]));
    this.#first = new Map(inverses.map((inverse) => [inverse, this.#facts(inverse, schema)]));
    this.#last = new Map(this.#first);
  }

  #facts(inverse: Inverse, schema: Schema): Map<string, string> {
    return factsOf(inverse, this.#needs.get(inverse) ?? [], schema);
  }

  /** Looks at the schema after a later migration. */
  see(migration: string, schema: Schema): void {
    for (const [inverse, before] of this.#last) {
      const after = this.#facts(inverse, schema);
      for (const label of new Set([...before.keys(), ...after.keys()]))
        if (before.get(label) !== after.get(label)) this.#by.set(`${objectId(inverse.of)} ${label}`, migration);
      this.#last.set(inverse, after);
    }
  }

  /** What has been built upon the objects and is still there. */
  list(): BuiltUpon[] {
    const found: BuiltUpon[] = [];
    for (const [inverse, last] of this.#last) {
      const first = this.#first.get(inverse)!;
      const object = objectText(inverse.of);
      const add = (what: string, how: BuiltUpon["how"]) =>
        found.push({ migration: this.#by.get(`${objectId(inverse.of)} ${what}`) ?? "", object, what, how });
      for (const label of [object, ...(this.#needs.get(inverse) ?? []).map(objectText)])
        if (first.has(label) && !last.has(label)) add(label, "gone");
      for (const [label, value] of last) {
        const before = first.get(label);
        if (before === undefined) add(label, "made");
        else if (before !== value) add(label, "changed");
      }
    }
    return found;
  }
}
