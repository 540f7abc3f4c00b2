import type { ColumnType } from "../migrations/sql/column-type";
import { keyOf } from "../migrations/sql/identifier";
import type { DatabaseColumn } from "./database";
import { argumentOf, attributeOf, type Enum, type Field, mappedName, textOf, type Value } from "./datamodel";
import { type Default, defaultOfSql } from "./default-value";
import { isScalar, scalarType } from "./native-type";

/** The key of a model's table or an enum's type. */
export function keyIn(of: Parameters<typeof mappedName>[0] & { readonly name: string }): string {
  const schema = textOf(
    argumentOf(attributeOf(of, "schema"), "name", true) ?? argumentOf(attributeOf(of, "schema"), "map"),
  );
  return keyOf({ ...(schema !== undefined && { schema }), name: mappedName(of) ?? of.name });
}

/** The column that Prisma makes for a field; undefined for a field of a relation. */
export function expectedColumn(field: Field, enums: ReadonlyMap<string, Enum>): DatabaseColumn | undefined {
  const own = enums.get(field.type ?? "");
  if (!own && !isScalar(field.type) && field.unsupported === undefined) return undefined;
  return {
    name: mappedName(field) ?? field.name,
    type: own ? enumType(own, field) : scalarType(field),
    // Postgres has no NOT NULL for lists that Prisma makes.
    required: field.arity === "required",
    default: expectedDefault(field, own),
    place: field.place,
  };
}

function enumType(own: Enum, { arity }: Field): ColumnType {
  return { name: keyIn(own), mods: [], array: arity === "list" ? 1 : 0, serial: false };
}

function expectedDefault(field: Field, own: Enum | undefined): Default {
  const value = argumentOf(attributeOf(field, "default"), "value", true);
  if (!value) return { kind: "none" };
  if (value.kind === "call") return calledDefault(value);
  if (value.kind === "list") {
    const values = value.items.map((item) => plainValue(item, own));
    return values.every((each) => each !== undefined)
      ? { kind: "list", values }
      : { kind: "unknown", why: "its list has values that aren't constants" };
  }
  const plain = plainValue(value, own);
  return plain === undefined ? { kind: "unknown", why: "its default is no constant" } : { kind: "value", value: plain };
}

function calledDefault({ name, args }: Extract<Value, { kind: "call" }>): Default {
  switch (name) {
    case "autoincrement":
    case "sequence":
      return { kind: "sequence" };
    case "now":
      return { kind: "now" };
    case "dbgenerated": {
      const sql = textOf(args[0]?.value);
      return sql === undefined || sql === ""
        ? { kind: "unknown", why: "`dbgenerated()` doesn't say how" }
        : defaultOfSql(sql);
    }
    default:
      // uuid(), cuid(), nanoid() and ulid() are made by Prisma's client.
      return { kind: "none" };
  }
}

function plainValue(value: Value, own: Enum | undefined): string | undefined {
  const text = textOf(value);
  const named = value.kind === "word" ? own?.values.find(({ name }) => name === text) : undefined;
  return (named && mappedName(named)) ?? text;
}
