/** The largest number of bytes of a name in Postgres. */
const longest = 63;

/**
 * The name that Prisma gives a key or index which has none: table, columns and a suffix, of which what stands before the
 * suffix is cut to fit. Source: prisma-engines, `psl/parser-database`, ConstraintNames.
 */
export function conventionalName(table: string, columns: readonly string[], suffix: "pkey" | "key" | "idx" | "fkey") {
  const parts = suffix === "pkey" ? [table] : [table, ...columns];
  return `${cut(parts.join("_"), longest - suffix.length - 1)}_${suffix}`;
}

/** Whether the name that an object would have without being cut is longer than Postgres allows, so that it isn't known. */
export function isCut(name: string): boolean {
  return Buffer.byteLength(name) > longest;
}

/** Cuts a text to a number of bytes, between two characters. */
function cut(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  let length = 0;
  let kept = "";
  for (const character of text) {
    length += Buffer.byteLength(character);
    if (length > bytes) return kept;
    kept += character;
  }
  return kept;
}
