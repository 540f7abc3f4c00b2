import type { Node, RangeVar } from "libpg-query";
import { listOf } from "./constant";

/** Words that can't name a table or column without quotes. Source: PostgreSQL documentation, appendix C, "reserved". */
const reserved = new Set(
  (
    "all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case cast char character check " +
    "coalesce collate collation column concurrently constraint create cross current_catalog current_date current_role current_schema current_time " +
    "current_timestamp current_user dec decimal default deferrable desc distinct do else end except exists extract false fetch float for foreign " +
    "freeze from full grant greatest group grouping having ilike in initially inner inout int integer intersect interval into is isnull join " +
    "lateral leading least left like limit localtime localtimestamp national natural nchar none normalize not notnull null nullif numeric offset " +
    "on only or order out outer overlaps overlay placing position precision primary real references returning right row select session_user " +
    "setof similar smallint some substring symmetric system_user table tablesample then time timestamp to trailing treat trim true union unique " +
    "user using values varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces " +
    "xmlparse xmlpi xmlroot xmlserialize xmltable"
  ).split(" "),
);

/** A name as SQL: quoted only where Postgres needs it. */
export function identifier(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) && !reserved.has(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** A string as an SQL literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The name of a table, index, view or type. Without a schema it means `public`. */
export interface Name {
  /** The schema as it is written; undefined where none is written. */
  readonly schema?: string;
  readonly name: string;
}

/** The key under which a name is looked up. Names in `public` have no schema in their key. */
export function keyOf({ schema, name }: Name): string {
  return schema === undefined || schema === "public" ? name : `${schema}.${name}`;
}

/** The name as SQL, with its schema where one was written. */
export function nameText({ schema, name }: Name): string {
  return schema === undefined ? identifier(name) : `${identifier(schema)}.${identifier(name)}`;
}

/** The name of a relation as it is written. */
export function nameOf(relation: RangeVar): Name {
  const { schemaname, relname = "" } = relation;
  return schemaname === undefined ? { name: relname } : { schema: schemaname, name: relname };
}

/**
 * Reads a name from text as Postgres would: `'"User_id_seq"'`, `'public.users'`.
 * The result is undefined if the text is no name.
 */
export function nameFromText(text: string): Name | undefined {
  const found = /^(?:("(?:[^"]|"")+"|[^".\s]+)\.)?("(?:[^"]|"")+"|[^".\s]+)$/.exec(text.trim());
  const read = (part: string) => (part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part.toLowerCase());
  if (!found?.[2]) return undefined;
  return found[1] === undefined ? { name: read(found[2]) } : { schema: read(found[1]), name: read(found[2]) };
}

/** A name from a list of parts, which DROP and some other statements have. */
export function nameOfParts(node: Node | readonly Node[] | undefined): Name {
  const parts = partsOf(node);
  const name = parts.at(-1) ?? "";
  const schema = parts.at(-2);
  return schema === undefined ? { name } : { schema, name };
}

/** The strings in a list of name parts. The parser wraps such lists in several ways. */
export function partsOf(node: Node | readonly Node[] | undefined): string[] {
  if (!node) return [];
  if ("String" in node) return [node.String.sval ?? ""];
  if ("TypeName" in node) return partsOf(node.TypeName.names);
  if ("ObjectWithArgs" in node) return partsOf(node.ObjectWithArgs.objname);
  return listOf(node).flatMap((part) => partsOf(part));
}
