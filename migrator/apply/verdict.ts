import type { RangeVar } from "libpg-query";
import { escapeIdentifier } from "pg";

/** What to do with a statement outside transactions, given what is in the catalog: run it, run another instead, or nothing. */
export type Verdict = "run" | "complete" | { instead: string };

/** A relation's name as SQL, with its schema where one is written. */
export function relationName({ schemaname, relname = "" }: RangeVar): string {
  return quoted(schemaname, relname);
}

/** A name as SQL, with its schema where there is one. */
export function quoted(schema: string | undefined, name: string): string {
  return [...(schema === undefined ? [] : [schema]), name].map(escapeIdentifier).join(".");
}
