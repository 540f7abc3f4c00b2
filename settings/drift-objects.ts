/** The kinds of objects that drift is looked for in, as a report names them: `index public.notes_title`. */
export const DRIFT_KINDS = [
  ...["schema", "extension", "enum", "range type", "composite type", "domain", "domain constraint"],
  ...["sequence", "owner of sequence", "function", "procedure", "aggregate", "table", "foreign table", "column"],
  ...["constraint", "foreign key", "index", "view", "materialized view", "statistics", "replica identity"],
  ...["rule", "trigger", "policy", "grant", "comment"],
] as const;

/** The allowed patterns, as error messages describe them. */
export const OBJECT_PATTERN =
  "a kind of object such as comment, or an object as a report names it, such as index public.notes_title or table public.tmp_*, without =";

/** Returns whether a text is a pattern of objects. `*` in it stands for any text. */
export function isObjectPattern(text: string): boolean {
  if (text.includes("=") || text.trim() !== text) return false;
  return text.startsWith("*") || DRIFT_KINDS.some((kind) => text === kind || text.startsWith(`${kind} `));
}
