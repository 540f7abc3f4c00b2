/** What the table of contents of an archive lists. */
export interface Contents {
  readonly entries: number;
  /** The entries that hold the rows of a table. */
  readonly tableData: number;
}

/**
 * Reads what `pg_restore --list` prints: comments that begin with `;`, and a line for each entry, such as
 * `3456; 0 16385 TABLE DATA public note app`.
 */
export function readContents(list: string): Contents {
  const entries = list.split("\n").filter((line) => /^\d+; /.test(line));
  return {
    entries: entries.length,
    tableData: entries.filter((line) => /^\d+; \d+ \d+ TABLE DATA /.test(line)).length,
  };
}
