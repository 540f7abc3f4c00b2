import { type ColumnType, typeText } from "../../migrations/sql/column-type";
import { sameType } from "../compare-columns";
import { compareDefaults } from "../compare-defaults";
import type { DatabaseColumn } from "../database";
import { type Datamodel, type Enum, mappedName } from "../datamodel";
import type { Default } from "../default-value";
import { keyIn } from "../expected-columns";
import { withoutAttribute } from "./attribute-text";

/** The types of Prisma for those of Postgres that need no attribute, with the lengths that these then have. */
const PLAIN: Readonly<Record<string, { type: string; mods: string }>> = {
  text: { type: "String", mods: "" },
  bool: { type: "Boolean", mods: "" },
  int4: { type: "Int", mods: "" },
  int8: { type: "BigInt", mods: "" },
  float8: { type: "Float", mods: "" },
  numeric: { type: "Decimal", mods: "65,30" },
  timestamp: { type: "DateTime", mods: "3" },
  jsonb: { type: "Json", mods: "" },
  bytea: { type: "Bytes", mods: "" },
};

/** The type of Prisma and the attribute for each other type of Postgres. Source: Prisma documentation, type mapping. */
const NATIVE: Readonly<Record<string, readonly [type: string, attribute: string]>> = {
  varchar: ["String", "VarChar"],
  bpchar: ["String", "Char"],
  uuid: ["String", "Uuid"],
  xml: ["String", "Xml"],
  inet: ["String", "Inet"],
  citext: ["String", "Citext"],
  bit: ["String", "Bit"],
  varbit: ["String", "VarBit"],
  int2: ["Int", "SmallInt"],
  oid: ["Int", "Oid"],
  float4: ["Float", "Real"],
  numeric: ["Decimal", "Decimal"],
  money: ["Decimal", "Money"],
  timestamp: ["DateTime", "Timestamp"],
  timestamptz: ["DateTime", "Timestamptz"],
  date: ["DateTime", "Date"],
  time: ["DateTime", "Time"],
  timetz: ["DateTime", "Timetz"],
  json: ["Json", "Json"],
};

/** The text of an expression whose SQL isn't known. The SQL is then to be written by hand. */
const UNWRITTEN = "an expression";

/** A type as a field has it: `String`, and `@db.VarChar(20)` where it needs that. */
interface FieldType {
  readonly type: string;
  readonly native?: string;
}

/** Returns a name as Prisma allows it, for an object of the database. */
export function prismaName(name: string): string {
  const plain = name.replace(/\W+/g, "_").replace(/^[^A-Za-z]+/, "");
  return plain === "" ? `x${name.replace(/\W+/g, "_")}` : plain;
}

/** Returns the line of a new field for a column. */
export function newField(column: DatabaseColumn, { enums }: Pick<Datamodel, "enums">): string {
  const name = prismaName(column.name);
  const { type, native } = fieldType(column.type, enums);
  return [
    ...[name, `${type}${arityOf(column)}`, defaultAttribute(column, type, enums), native],
    ...(name === column.name ? [] : [`@map(${JSON.stringify(column.name)})`]),
  ]
    .filter((part) => part !== undefined)
    .join(" ");
}

/**
 * Returns the line of a field with the type, the nullability and the default of a column. What agrees stays as it is
 * written.
 * @param line the line of the field
 * @param expected the column that Prisma makes for it
 */
export function changedField(
  line: string,
  expected: DatabaseColumn,
  made: DatabaseColumn,
  { enums }: Pick<Datamodel, "enums">,
): string | undefined {
  const [, head = "", type = "", rest = ""] =
    /^(\s*\w+\s+)(\w+|Unsupported\("(?:[^"\\]|\\.)*"\))(?:\[\]|\?)?(.*)$/.exec(line) ?? [];
  if (type === "") return undefined;
  const same = expected.type && made.type && sameType(expected.type, made.type);
  const now = same ? { type } : fieldType(made.type, enums);
  const value =
    compareDefaults(expected.default, made.default, made.type) === "differ"
      ? { attribute: defaultAttribute(made, now.type, enums) }
      : undefined;
  let changed = `${head}${now.type}${arityOf(made)}${rest}`;
  if (!same) changed = withAttribute(withoutAttribute(changed, "db."), now.native);
  return value ? withAttribute(withoutAttribute(changed, "default"), value.attribute) : changed;
}

/** Puts an attribute behind the last one, before a comment. */
function withAttribute(line: string, attribute: string | undefined): string {
  if (attribute === undefined) return line;
  const [, text = line, comment = ""] = /^((?:"(?:\\.|[^"\\])*"|[^"])*?)(\s*\/\/.*)?$/.exec(line) ?? [];
  return `${text.trimEnd()} ${attribute}${comment}`;
}

function arityOf({ type, required }: DatabaseColumn): string {
  if ((type?.array ?? 0) > 0) return "[]";
  return required ? "" : "?";
}

function fieldType(type: ColumnType | undefined, enums: readonly Enum[]): FieldType {
  if (!type) return { type: 'Unsupported("…")' };
  const own = enums.find((each) => keyIn(each) === type.name);
  if (own) return { type: own.name };
  const plain = PLAIN[type.name];
  if (plain && plain.mods === type.mods.join()) return { type: plain.type };
  const [scalar, attribute] = NATIVE[type.name] ?? [];
  if (scalar === undefined) return { type: `Unsupported(${JSON.stringify(typeText({ ...type, array: 0 }))})` };
  return { type: scalar, native: `@db.${attribute}${type.mods.length > 0 ? `(${type.mods.join(", ")})` : ""}` };
}

function defaultAttribute(
  { default: value, type }: DatabaseColumn,
  prismaType: string,
  enums: readonly Enum[],
): string | undefined {
  const text = defaultText(
    value,
    prismaType,
    enums.find((each) => type && keyIn(each) === type.name),
  );
  return text === undefined ? undefined : `@default(${text})`;
}

/** Returns the default as Prisma writes it; undefined if there is none, as for a generated column. */
function defaultText(value: Default, type: string, own: Enum | undefined): string | undefined {
  switch (value.kind) {
    case "none":
      return undefined;
    case "sequence":
      return "autoincrement()";
    case "now":
      return "now()";
    case "value":
      return constantText(value.value, type, own);
    case "list":
      return `[${value.values.map((each) => constantText(each, type, own)).join(", ")}]`;
    case "expression":
      return `dbgenerated(${JSON.stringify(value.text === UNWRITTEN ? "…" : value.text)})`;
    case "unknown":
      return undefined;
  }
}

function constantText(value: string, type: string, own: Enum | undefined): string {
  if (own) return own.values.find((each) => (mappedName(each) ?? each.name) === value)?.name ?? prismaName(value);
  if (type === "Boolean") return String(/^(t|true|y|yes|on|1)$/i.test(value));
  if (/^(Int|BigInt|Float|Decimal)$/.test(type)) return value;
  if (/^(DateTime|Bytes|Unsupported.*)$/.test(type))
    return `dbgenerated(${JSON.stringify(`'${value.replaceAll("'", "''")}'`)})`;
  return JSON.stringify(value);
}
