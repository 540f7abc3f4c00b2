/** The options after `-- release: batch`: `by COLUMN size ROWS pause TIME`. Each of them is optional. */
export interface BatchOptions {
  /** The column whose values are walked; default: the primary key. */
  readonly column?: string;
  /** The number of rows that are read in one transaction. */
  readonly size?: number;
  /** The pause between two transactions, as it is written: `50ms`. */
  readonly pause?: string;
}

/** Reads the options of a batch directive, or returns what is wrong with them. */
export function readBatchOptions(text: string): BatchOptions | { readonly problem: string } {
  const words = text.split(/\s+/).filter((word) => word !== "");
  let options: BatchOptions = {};
  for (let index = 0; index < words.length; index += 2) {
    const [word, value = ""] = words.slice(index, index + 2);
    if (word === "by" && value !== "") options = { ...options, column: value.replace(/^"(.*)"$/, "$1") };
    else if (word === "size" && /^[1-9]\d{0,7}$/.test(value)) options = { ...options, size: Number(value) };
    else if (word === "pause" && /^(0|(\d{1,9}(ms|[smhd]))+)$/.test(value)) options = { ...options, pause: value };
    else return { problem: `where "${word} ${value}" is none of "by COLUMN", "size 5000" and "pause 50ms"` };
  }
  return options;
}
