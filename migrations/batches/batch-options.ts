/** What follows `-- release: batch`: `by COLUMN size ROWS pause TIME`, each of them optional. */
export interface BatchOptions {
  /** The key that is walked; undefined = the primary key. */
  readonly column?: string;
  /** Rows that are looked at in one transaction. */
  readonly size?: number;
  /** Between two of them, as written: `50ms`. */
  readonly pause?: string;
}

/** Reads the options of a batch directive, or says what is wrong with them. */
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
