import { formatBytes } from "./bytes";

/** Size of a table with its indexes. */
export interface TableSize {
  readonly rows: number;
  readonly bytes: number;
}

/** Sizes by table, as recorded after a release or read from a file; a table's name has its schema unless that is `public`. */
export interface Sizes {
  /** When they were taken, ISO 8601. */
  readonly recordedAt?: string;
  readonly tables: Readonly<Record<string, TableSize>>;
}

/** Writes the size of a table as `12 GiB, 40.0 million rows`. */
export function sizeText(size: TableSize | undefined): string {
  if (!size) return "size unknown";
  return `${formatBytes(size.bytes)}, ${rowsText(size.rows)}`;
}

function rowsText(rows: number): string {
  if (rows >= 1e9) return `${(rows / 1e9).toFixed(1)} billion rows`;
  if (rows >= 1e6) return `${(rows / 1e6).toFixed(1)} million rows`;
  return rows === 1 ? "1 row" : `${rows.toLocaleString("en-US")} rows`;
}
