import type { Node, RangeVar } from "libpg-query";
import { partsOf } from "../sql/identifier";
import { maskSql } from "../sql/mask-sql";

/**
 * The contents of a database as a flat list, so that two databases can be compared entry by entry:
 * `column public.notes.title` → `text NOT NULL`.
 */
export type Catalog = Record<string, string>;

/**
 * What the catalog must contain after a statement: an entry is present, is absent, or its definition matches a pattern.
 */
export interface Expectation {
  readonly key: string;
  readonly present: boolean;
  /** The pattern that the entry's definition must match, and a text for a person that describes it. */
  readonly definition?: { readonly matches: RegExp; readonly text: string };
  /**
   * The key of the object with which this one is dropped: the table of an index, or the parent table of a partition.
   */
  readonly partOf?: string;
  /** The columns that an index or a constraint covers. It is dropped together with any of them. */
  readonly columns?: ReadonlySet<string>;
  /**
   * Whether any kind of relation with this name is enough: IF NOT EXISTS keeps
   * whatever exists, and ALTER TABLE renames views too.
   */
  readonly anyKind?: boolean;
  /** A later statement that may have undone or changed this. If it is set, a missing entry is no fault. */
  readonly uncertain?: string;
}

const RELATIONS = ["table", "view", "materialized view", "sequence", "index"];

/** The name in a key: `public.t.a` in `column public.t.a`. */
function nameIn(key: string): string {
  return key.slice(key.search(/ [^ ]*\./) + 1);
}

/** Whether a catalog meets an expectation. */
export function isMet({ key, present, definition, anyKind }: Expectation, catalog: Catalog): boolean {
  const found = catalog[key];
  if (!present) return found === undefined;
  if (found === undefined && anyKind) return RELATIONS.some((kind) => `${kind} ${nameIn(key)}` in catalog);
  // The columns of a view have no entries in the catalog, but ALTER TABLE also works on a view.
  const table = key.startsWith("column ") ? nameIn(key).replace(/\.[^.]*$/, "") : undefined;
  if (table !== undefined && (`view ${table}` in catalog || `materialized view ${table}` in catalog)) return true;
  return found !== undefined && (definition === undefined || definition.matches.test(found));
}

/** Describes what the catalog contains for the key of an expectation. */
export function describeExpectation({ key, definition }: Expectation, catalog: Catalog): string {
  const found = catalog[key];
  if (found === undefined) return `there is no ${key}`;
  return definition ? `${key} is ${maskSql(found).slice(0, 120)} (looked for: ${definition.text})` : `there is ${key}`;
}

/** The expectation that an entry is present after a statement. */
export function there(key: string): Expectation {
  return { key, present: true };
}

/** The expectation that an entry is absent after a statement. */
export function gone(key: string): Expectation {
  return { key, present: false };
}

/** The same as {@link there}, but with IF NOT EXISTS a relation of any kind with this name is enough. */
export function perhaps(key: string, ifNotExists: boolean | undefined): Expectation {
  return { ...there(key), ...(ifNotExists && { anyKind: true }) };
}

/**
 * The expectation that an entry is present and that its definition matches.
 * @param text describes the pattern for a person
 */
export function defined(key: string, matches: RegExp, text: string): Expectation {
  return { ...there(key), definition: { matches, text } };
}

/**
 * The name of a relation in the form of the catalog's keys.
 * @param schema the schema of names that are written without one
 */
export function relationName({ schemaname, relname }: RangeVar, schema: string): string {
  return `${schemaname ?? schema}.${relname}`;
}

/** The same as {@link relationName}, for a name that is a list of its parts. */
export function partsName(list: Node | readonly Node[] | undefined, schema: string): string {
  const parts = partsOf(list);
  return parts.length > 1 ? parts.slice(-2).join(".") : `${schema}.${parts[0]}`;
}
