import { formatBytes } from "./bytes";

/** The number of rows of a table, and its size with its indexes. */
export interface TableSize {
  readonly rows: number;
  readonly bytes: number;
}

/**
 * The sizes of tables by name, as recorded after a release or read from a file. A
 * name contains the schema unless that is `public`.
 */
export interface Sizes {
  /** The time at which the sizes were measured, in ISO 8601. */
  readonly recordedAt?: string;
  readonly tables: Readonly<Record<string, TableSize>>;
}

/** Formats the size of a table: `12 GiB, 40.0 million rows`. */
export function sizeText(size: TableSize | undefined): string {
  if (!size) return "size unknown";
  return `${formatBytes(size.bytes)}, ${rowsText(size.rows)}`;
}

/** Formats a number of rows: `1 row`, `1,200 rows`, `40.0 million rows`. */
export function rowsText(rows: number): string {
  if (rows >= 1e9) return `${(rows / 1e9).toFixed(1)} billion rows`;
  if (rows >= 1e6) return `${(rows / 1e6).toFixed(1)} million rows`;
  return rows === 1 ? "1 row" : `${rows.toLocaleString("en-US")} rows`;
}
