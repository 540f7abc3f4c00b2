import type { DatabaseIndex } from "./database";
import { type Attribute, argumentOf, type Model, mappedName, textOf, type Value } from "./datamodel";
import { conventionalName } from "./names";

const kinds = {
  id: { kind: "primary", suffix: "pkey" },
  unique: { kind: "unique", suffix: "key" },
  index: { kind: "index", suffix: "idx" },
} as const;

/**
 * The indexes and keys that Prisma makes for a model.
 * @param table the table's name, without its schema
 */
export function expectedIndexes(model: Model, table: string): DatabaseIndex[] {
  const columns = new Map(model.fields.map((field) => [field.name, mappedName(field) ?? field.name]));
  const ofFields = model.fields.flatMap((field) =>
    (["id", "unique"] as const).flatMap((name) => {
      const found = field.attributes.find((each) => each.name === name);
      return found ? indexOf(name, found, [{ kind: "word", word: field.name }], table, columns) : [];
    }),
  );
  const ofBlock = model.attributes.flatMap((each) => {
    if (each.name !== "id" && each.name !== "unique" && each.name !== "index") return [];
    const fields = argumentOf(each, "fields", true);
    const list = fields?.kind === "list" ? fields.items : fields ? [fields] : [];
    return indexOf(each.name, each, list, table, columns);
  });
  return [...ofFields, ...ofBlock];
}

function indexOf(
  name: keyof typeof kinds,
  attribute: Attribute,
  fields: readonly Value[],
  table: string,
  names: ReadonlyMap<string, string>,
): DatabaseIndex {
  const { kind, suffix } = kinds[name];
  const parts = fields.map((field) => partOf(field, attribute));
  const columns = parts.map(({ field }) => names.get(field) ?? field);
  return {
    name: nameOf(attribute, table, columns, suffix),
    kind,
    columns,
    method: methodOf(attribute),
    elements: parts.map(({ element }) => element),
    ...apartness(
      attribute,
      parts.map(({ field }) => field),
    ),
    place: attribute.place,
  };
}

/** The name that is written, or the conventional one. An index without `map` takes `name` for it, as Prisma 2 did. */
function nameOf(attribute: Attribute, table: string, columns: readonly string[], suffix: "pkey" | "key" | "idx") {
  const legacy = attribute.name === "index" ? textOf(argumentOf(attribute, "name")) : undefined;
  return textOf(argumentOf(attribute, "map")) ?? legacy ?? conventionalName(table, columns, suffix);
}

function apartness(attribute: Attribute, fields: readonly string[]): { apart?: string } {
  if (argumentOf(attribute, "where")) return { apart: "partial indexes are not compared" };
  return fields.some((field) => field.includes(".")) ? { apart: "it names a part of a composite type" } : {};
}

/** A field of an index with what stands in its brackets; `sort` of `@unique(sort: Desc)` stands in the attribute. */
function partOf(value: Value, attribute: Attribute) {
  const args = value.kind === "call" ? value.args : attribute.args;
  const operators = value.kind === "call" ? argumentOf({ args }, "ops") : undefined;
  const raw = operators?.kind === "call" ? textOf(operators.args[0]?.value) : textOf(operators);
  return {
    field: value.kind === "call" ? value.name : (textOf(value) ?? ""),
    element: {
      descending: textOf(argumentOf({ args }, "sort")) === "Desc",
      ...(raw !== undefined && { operatorClass: raw }),
    },
  };
}

function methodOf(attribute: Attribute): string {
  return (textOf(argumentOf(attribute, "type")) ?? "btree").toLowerCase();
}
