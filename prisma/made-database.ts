import type { Column, Index, Table } from "../migrations/schema/objects";
import type { Schema } from "../migrations/schema/schema";
import { keyOf } from "../migrations/sql/identifier";
import type { Database, DatabaseColumn, DatabaseIndex, DatabaseTable } from "./database";
import { type Default, defaultOf } from "./default-value";
import { plainType } from "./native-type";

/** The tables and enums that a history makes. */
export function madeDatabase(schema: Schema): Database {
  return {
    tables: new Map([...schema.tables.values()].map((table) => [keyOf(table.name), tableOf(table, schema)])),
    enums: new Map([...schema.enums].map(([key, values]) => [key, { key, values: values.map((name) => ({ name })) }])),
  };
}

function tableOf(table: Table, schema: Schema): DatabaseTable {
  const key = keyOf(table.name);
  const primary = table.constraints.find(({ kind }) => kind === "primary")?.name;
  const apart = apartness(table);
  return {
    key,
    ...(apart !== undefined && { apart }),
    isView: table.kind !== "table",
    columns: new Map([...table.columns.values()].map((column) => [column.name, columnOf(column, schema)])),
    indexes: schema.indexesOf(key).map((index) => indexOf(index, index.name.name === primary)),
    // A DO block may add a foreign key once more, if it isn't there.
    foreignKeys: [...new Map(table.constraints.map((each) => [each.name, each])).values()].flatMap((each) => {
      const { kind, name, columns, references, referenced = [], onDelete = "a", onUpdate = "a" } = each;
      if (kind !== "foreign" || references === undefined) return [];
      return {
        ...{ name, columns, references, onDelete, onUpdate },
        referenced: referenced.length > 0 ? referenced : primaryOf(references, schema),
      };
    }),
  };
}

function apartness({ kind, known, parent }: Table): string | undefined {
  if (kind !== "table") return `the history makes it as a ${kind}`;
  if (!known) return "no CREATE TABLE of the history shows its columns";
  return parent === undefined ? undefined : "it is a partition or child of another table";
}

function primaryOf(key: string, schema: Schema): readonly string[] {
  return schema.tables.get(key)?.constraints.find(({ kind }) => kind === "primary")?.columns ?? [];
}

function columnOf(column: Column, schema: Schema): DatabaseColumn {
  const base = schema.baseOf(column.type, true);
  return {
    name: column.name,
    // A domain is compared by nothing: Prisma has no word for it.
    type: column.type && base === column.type ? plainType(column.type) : undefined,
    required: column.notNull,
    default: sourceOf(column),
  };
}

function sourceOf({ source }: Column): Default {
  if (!source) return { kind: "none" };
  if (source.kind === "default") return defaultOf(source.expression);
  if (source.kind === "sequence") return { kind: "sequence" };
  return { kind: "unknown", why: "it is a generated column" };
}

function indexOf(index: Index, primary: boolean): DatabaseIndex {
  const { name, columns, elements, method, unique } = index;
  const apart = beyondPrisma.find(({ is }) => is(index))?.what;
  return {
    name: name.name,
    kind: primary ? "primary" : unique ? "unique" : "index",
    ...{ columns, method, elements },
    ...(apart !== undefined && { apart: `Prisma's schema has no word for ${apart}` }),
  };
}

/** The indexes that Prisma's language can't describe. */
const beyondPrisma: readonly { readonly is: (index: Index) => boolean; readonly what: string }[] = [
  { is: ({ partial }) => partial === true, what: "a partial index" },
  { is: ({ columns }) => columns.includes("(expression)"), what: "an index on an expression" },
  { is: ({ includes }) => includes === true, what: "INCLUDE" },
  { is: ({ method, elements }) => method === "gist" && elements.length === 0, what: "an exclusion constraint" },
];
