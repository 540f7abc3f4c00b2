import type { Node } from "libpg-query";
import { textOf } from "../sql/constant";
import { keyOf, nameOf, nameOfParts, partsOf } from "../sql/identifier";
import { isNode } from "../sql/references";
import type { Uses } from "./objects";
import type { Schema } from "./schema";

/** The text form of a use of a table, a column, a function or a sequence. */
export function useOf(kind: "table" | "column" | "function" | "sequence", key: string, column?: string): string {
  return column === undefined ? `${kind}:${key}` : `${kind}:${key}:${column}`;
}

/**
 * The tables of one query level by their aliases; the value is undefined for anything that is no table of the history.
 */
type Scope = Map<string, string | undefined>;

/**
 * What a query or expression depends on, as Postgres records it: tables, each column that is named, functions, and
 * sequences written as constants. A column that could belong to several tables, one of which isn't known, is left out.
 * @param own the key of the table to which columns without a table belong
 */
export function usesOf(node: Node | undefined, schema: Schema, own?: string): Uses {
  const uses: Uses = new Set();
  if (node) read(node, own === undefined ? [] : [new Map([[own, own]])], new Set(), { uses, schema });
  return uses;
}

interface Found {
  readonly uses: Uses;
  readonly schema: Schema;
}

function read(value: unknown, scopes: readonly Scope[], named: ReadonlySet<string>, found: Found): void {
  if (value === null || typeof value !== "object") return;
  const item: object = value;
  if (isNode(item) && "SelectStmt" in item) {
    const { withClause, fromClause } = item.SelectStmt;
    const queries = new Set(named);
    for (const each of withClause?.ctes ?? [])
      if ("CommonTableExpr" in each) queries.add(each.CommonTableExpr.ctename ?? "");
    const scope: Scope = new Map();
    for (const each of fromClause ?? []) enter(each, scope, queries, found);
    for (const child of Object.values(item.SelectStmt)) read(child, [scope, ...scopes], queries, found);
    return;
  }
  if (isNode(item) && "ColumnRef" in item) {
    column(item.ColumnRef.fields ?? [], scopes, found);
    return;
  }
  if (isNode(item) && "FuncCall" in item) {
    const name = nameOfParts(item.FuncCall.funcname);
    found.uses.add(useOf("function", keyOf(name)));
    const [argument] = item.FuncCall.args ?? [];
    const text = name.name === "nextval" ? textOf(argument) : undefined;
    if (text !== undefined) found.uses.add(useOf("sequence", keyOf(written(text))));
  }
  for (const child of Object.values(value)) read(child, scopes, named, found);
}

/** Adds what follows FROM to the scope. */
function enter(from: Node, scope: Scope, named: ReadonlySet<string>, found: Found): void {
  if ("RangeVar" in from) {
    const key = keyOf(nameOf(from.RangeVar));
    const isTable = !(from.RangeVar.schemaname === undefined && named.has(key));
    scope.set(from.RangeVar.alias?.aliasname ?? from.RangeVar.relname ?? "", isTable ? key : undefined);
    if (isTable) found.uses.add(useOf("table", key));
  } else if ("JoinExpr" in from) {
    const { larg, rarg, usingClause } = from.JoinExpr;
    const inner: Scope = new Map();
    for (const side of [larg, rarg]) if (side) enter(side, inner, named, found);
    for (const [name, key] of inner) {
      scope.set(name, key);
      for (const joined of partsOf(usingClause)) if (key !== undefined) found.uses.add(useOf("column", key, joined));
    }
  } else if ("RangeSubselect" in from) scope.set(from.RangeSubselect.alias?.aliasname ?? "", undefined);
  else if ("RangeFunction" in from) scope.set(from.RangeFunction.alias?.aliasname ?? "", undefined);
}

function column(fields: readonly Node[], scopes: readonly Scope[], { uses, schema }: Found): void {
  const star = fields.some((field) => "A_Star" in field);
  const parts = partsOf(fields);
  const name = star ? undefined : parts.at(-1);
  const qualifier = star ? parts.at(-1) : parts.at(-2);
  for (const scope of scopes) {
    const tables = [...scope].filter(([alias]) => qualifier === undefined || alias === qualifier);
    const keys = tables.flatMap(([, key]) => key ?? []);
    if (star) {
      for (const key of keys)
        for (const each of schema.tables.get(key)?.columns.keys() ?? []) uses.add(useOf("column", key, each));
      return;
    }
    if (name === undefined) return;
    const having = keys.filter((key) => schema.tables.get(key)?.columns.has(name));
    if (
      having.length === 1 &&
      (qualifier !== undefined || tables.length === 1 || onlyKnown(keys, tables.length, schema))
    )
      uses.add(useOf("column", having[0]!, name));
    if (having.length > 0 || qualifier !== undefined) return;
  }
}

function onlyKnown(keys: readonly string[], tables: number, schema: Schema): boolean {
  return keys.length === tables && keys.every((key) => schema.tables.get(key)?.known);
}

/** The name in a constant: `"Order_id_seq"`. */
function written(text: string) {
  const parts = [...text.matchAll(/"((?:[^"]|"")*)"|([^".]+)/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!.toLowerCase(),
  );
  const name = parts.at(-1) ?? "";
  return parts.length > 1 ? { schema: parts.at(-2)!, name } : { name };
}
