import type { Node, RangeVar } from "libpg-query";
import { partsOf } from "../sql/identifier";
import { maskSql } from "../sql/mask-sql";

/** What a database consists of, flat, by which two of them are compared entry by entry: `column public.notes.title` → `text NOT NULL`. */
export type Catalog = Record<string, string>;

/** What a statement promises of the catalog: that an entry is there, not there, or has a word in its definition. */
export interface Expectation {
  readonly key: string;
  readonly present: boolean;
  /** The entry's definition must (not) match. */
  readonly definition?: { readonly matches: RegExp; readonly text: string };
  /** The key of what it goes with: the table of an index, the table of which it is a partition. */
  readonly partOf?: string;
  /** The columns that an index or a constraint is about: it goes with each of them. */
  readonly columns?: ReadonlySet<string>;
  /** Something of this name is there, of whatever kind: IF NOT EXISTS leaves what there is, and ALTER TABLE renames views too. */
  readonly anyKind?: boolean;
  /** The statement that may have taken it back or changed it: if it isn't as promised, that is no fault. */
  readonly uncertain?: string;
}

const RELATIONS = ["table", "view", "materialized view", "sequence", "index"];

/** `public.t` of `column public.t.a`. */
function nameIn(key: string): string {
  return key.slice(key.search(/ [^ ]*\./) + 1);
}

/** Whether a catalog is as expected. */
export function isMet({ key, present, definition, anyKind }: Expectation, catalog: Catalog): boolean {
  const found = catalog[key];
  if (!present) return found === undefined;
  if (found === undefined && anyKind) return RELATIONS.some((kind) => `${kind} ${nameIn(key)}` in catalog);
  // The columns of views are not entries of the catalog, and ALTER TABLE works on a view.
  const table = key.startsWith("column ") ? nameIn(key).replace(/\.[^.]*$/, "") : undefined;
  if (table !== undefined && (`view ${table}` in catalog || `materialized view ${table}` in catalog)) return true;
  return found !== undefined && (definition === undefined || definition.matches.test(found));
}

/** What the catalog has where the expectation looks. */
export function describeExpectation({ key, definition }: Expectation, catalog: Catalog): string {
  const found = catalog[key];
  if (found === undefined) return `there is no ${key}`;
  return definition ? `${key} is ${maskSql(found).slice(0, 120)} (looked for: ${definition.text})` : `there is ${key}`;
}

/** That an entry is there after a statement. */
export function there(key: string): Expectation {
  return { key, present: true };
}

/** That an entry is not there after a statement. */
export function gone(key: string): Expectation {
  return { key, present: false };
}

/** As {@link there}; with IF NOT EXISTS anything of its name will do. */
export function perhaps(key: string, ifNotExists: boolean | undefined): Expectation {
  return { ...there(key), ...(ifNotExists && { anyKind: true }) };
}

/** That an entry is there and that its definition matches. @param text the same for a person */
export function defined(key: string, matches: RegExp, text: string): Expectation {
  return { ...there(key), definition: { matches, text } };
}

/** The name of a relation as the keys of the catalog have it. @param schema of names that are written without one */
export function relationName({ schemaname, relname }: RangeVar, schema: string): string {
  return `${schemaname ?? schema}.${relname}`;
}

/** As {@link relationName}, of a name that is a list of its parts. */
export function partsName(list: Node | readonly Node[] | undefined, schema: string): string {
  const parts = partsOf(list);
  return parts.length > 1 ? parts.slice(-2).join(".") : `${schema}.${parts[0]}`;
}
