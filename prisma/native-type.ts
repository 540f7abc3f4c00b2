import { parseSync } from "libpg-query";
import { type ColumnType, columnType } from "../migrations/sql/column-type";
import { type Attribute, argumentOf, type Field, textOf } from "./datamodel";

/** Postgres' type for each scalar type of Prisma. Source: Prisma documentation, PostgreSQL connector, type mapping. */
const scalars: Readonly<Record<string, Omit<ColumnType, "array" | "serial">>> = {
  String: { name: "text", mods: [] },
  Boolean: { name: "bool", mods: [] },
  Int: { name: "int4", mods: [] },
  BigInt: { name: "int8", mods: [] },
  Float: { name: "float8", mods: [] },
  Decimal: { name: "numeric", mods: [65, 30] },
  DateTime: { name: "timestamp", mods: [3] },
  Json: { name: "jsonb", mods: [] },
  Bytes: { name: "bytea", mods: [] },
};

/** Postgres' type for each attribute `@db.…` whose name isn't already the type's name in capitals. */
const natives: Readonly<Record<string, string>> = {
  Integer: "int4",
  SmallInt: "int2",
  BigInt: "int8",
  Decimal: "numeric",
  Real: "float4",
  DoublePrecision: "float8",
  Boolean: "bool",
  Char: "bpchar",
  JsonB: "jsonb",
  ByteA: "bytea",
};

/** Whether a type is one of Prisma's own, and so neither a model nor an enum. */
export function isScalar(type: string | undefined): boolean {
  return type !== undefined && Object.hasOwn(scalars, type);
}

/** The type of the column that Prisma makes for a field of a scalar type or an `Unsupported` one. */
export function scalarType(field: Field): ColumnType | undefined {
  const array = field.arity === "list" ? 1 : 0;
  if (field.unsupported !== undefined) return typeOfSql(field.unsupported, array);
  const native = field.attributes.find(({ name }) => name.startsWith("db."));
  const type = native ? nativeType(native) : scalars[field.type ?? ""];
  return type && plainType({ ...type, array, serial: false });
}

function nativeType({ name, args }: Attribute): Omit<ColumnType, "array" | "serial"> {
  const word = name.slice("db.".length);
  const mods = args.flatMap(({ value }) => {
    const text = textOf(value);
    return text === undefined ? [] : Number(text);
  });
  return { name: natives[word] ?? word.toLowerCase(), mods };
}

/** Reads a type that is written as SQL. */
function typeOfSql(sql: string, array = 0): ColumnType | undefined {
  try {
    const [statement] = parseSync(`SELECT NULL::${sql}`).stmts ?? [];
    const select = statement?.stmt && "SelectStmt" in statement.stmt ? statement.stmt.SelectStmt : undefined;
    const [target] = select?.targetList ?? [];
    const value = target && "ResTarget" in target ? target.ResTarget.val : undefined;
    const type = value && "TypeCast" in value ? columnType(value.TypeCast.typeName) : undefined;
    return type && plainType({ ...type, array: Math.max(array, type.array) });
  } catch {
    return undefined;
  }
}

/** The lengths and precisions that a type has where none is written. */
const usual: Readonly<Record<string, readonly number[]>> = {
  bpchar: [1],
  bit: [1],
  timestamp: [6],
  timestamptz: [6],
  time: [6],
  timetz: [6],
  interval: [6],
};

/** The type with the length or precision that Postgres uses if none is written, and with at most one dimension. */
export function plainType(type: ColumnType): ColumnType {
  const mods = type.mods.length > 0 ? type.mods : (usual[type.name] ?? []);
  // NUMERIC(10) is NUMERIC(10,0).
  const whole = type.name === "numeric" && mods.length === 1 ? [...mods, 0] : mods;
  return { name: type.name, mods: whole, array: Math.min(type.array, 1), serial: false };
}

/** The value of the argument that names a field in `fields: […]` or `[…]`. */
export function fieldNames(of: Attribute | undefined, key: string, first = false): string[] {
  const value = argumentOf(of, key, first);
  if (value?.kind !== "list") return [];
  return value.items.flatMap((item) => (item.kind === "call" ? item.name : (textOf(item) ?? [])));
}
