import type { Expectation } from "../schema/expectation";

/** The placeholder for the schema of a name that is written without one after `search_path` was changed. */
export const ANYWHERE = "?";

/**
 * Whether a key belongs to objects that the compared catalog leaves out: this project's
 * bookkeeping and Prisma's, and the server's own schemas.
 */
export function isOurs(key: string): boolean {
  return / (_release|pg_[^.]*|information_schema)(\.|$)/.test(key) || /\._prisma_migrations(\.|$)/.test(key);
}

/** The name in a key: `public.t.a` in `column public.t.a`. */
export function nameOf(key: string): string {
  return key.slice(/^(materialized view|[a-z]+) /.exec(key)?.[0].length ?? 0);
}

/**
 * Removes an object with all its parts: columns, constraints, indexes,
 * triggers, partitions, and sequences that it owns.
 */
export function forget(expected: Map<string, Expectation>, key: string): void {
  expected.delete(key);
  const [, kind, name = ""] = /^(materialized view|[a-z]+) (.+)$/.exec(key) ?? [];
  // The index of a unique constraint has the constraint's name and is dropped together with it.
  if (kind === "constraint") expected.delete(`index ${name.replace(/[^.]+\.([^.]+)$/, "$1")}`);
  const table = kind === "column" ? name.replace(/\.[^.]*$/, "") : undefined;
  const column = name.slice((table?.length ?? -1) + 1);
  for (const [each, { partOf, columns }] of [...expected]) {
    const of = nameOf(each);
    const ofTable = partOf === `table ${table}` || of.startsWith(`${table}.`);
    const inside = kind !== "column" && kind !== "constraint" && of.startsWith(`${name}.`);
    const about = table !== undefined && ofTable && (columns?.has(column) || columns?.has("*"));
    // The indexes of a materialized view also have `table` in their `partOf`.
    const part = partOf === key || (kind === "materialized view" && partOf === `table ${name}`);
    if (expected.has(each) && (inside || about || part)) forget(expected, each);
  }
}

/** Removes every object of this kind and name, because a name without a schema may be in any schema. */
export function forgetAnywhere(expected: Map<string, Expectation>, key: string): void {
  const [kind, name = ""] = key.split(` ${ANYWHERE}.`);
  for (const each of [...expected.keys()])
    if (each.startsWith(`${kind} `) && each.endsWith(`.${name}`)) forget(expected, each);
}
