import type { RangeVar } from "libpg-query";
import { escapeIdentifier } from "pg";

/**
 * What to do with a statement outside transactions, given the catalog: run it, do nothing because it is complete, or
 * run another statement instead.
 */
export type Verdict = "run" | "complete" | { instead: string };

/** Returns a relation's name as SQL, with its schema if one is written. */
export function relationName({ schemaname, relname = "" }: RangeVar): string {
  return quoted(schemaname, relname);
}

/** Returns a name as SQL, with its schema if there is one. */
export function quoted(schema: string | undefined, name: string): string {
  return [...(schema === undefined ? [] : [schema]), name].map(escapeIdentifier).join(".");
}
