import { keyOf, type Name } from "../migrations/sql/identifier";

/** Writes a table or column in the notation of acknowledgements, such as `User.email`. */
export function target(name: Name, column?: string): string {
  return column === undefined ? keyOf(name) : `${keyOf(name)}.${column}`;
}

/** Writes an identifier or a piece of SQL between backticks, which every format shows as code. */
export function code(text: string): string {
  return `\`${text.replaceAll("`", "'")}\``;
}

/** Writes a table, or a column of it, between backticks. */
export function named(name: Name, column?: string): string {
  return code(target(name, column));
}

/** Writes a list of names for a sentence, such as "`a`, `b`". */
export function codes(texts: readonly string[]): string {
  return texts.map(code).join(", ");
}
