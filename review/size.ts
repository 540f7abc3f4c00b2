import type { Work } from "../migrations/schema/effect";
import { keyOf, type Name } from "../migrations/sql/identifier";
import type { Sizes, TableSize } from "../text/table-size";

/** The duration of work on a table, as a band, because a size doesn't allow an estimate in seconds. */
export type Band = "under 1 s" | "seconds" | "up to a minute" | "minutes" | "up to an hour" | "hours" | "unknown";

const megabyte = 1024 * 1024;

/**
 * The speeds that a small RDS instance on gp3 storage sustains besides its usual load, in bytes per second, but in rows
 * per second for `rows`. They are rough: they only select a band.
 */
const speeds: Record<Exclude<Work, "none">, number> = {
  rewrite: 20 * megabyte,
  index: 30 * megabyte,
  scan: 150 * megabyte,
  rows: 10_000,
};

const bands: readonly [seconds: number, band: Band][] = [
  [1, "under 1 s"],
  [10, "seconds"],
  [60, "up to a minute"],
  [600, "minutes"],
  [3600, "up to an hour"],
];

/** Returns the size of a table, or undefined if it is unknown. */
export function sizeOf(name: Name, sizes: Sizes | undefined): TableSize | undefined {
  const key = keyOf(name);
  // hasOwn is needed because a table may be named `constructor`.
  const found = sizes && [key, `public.${key}`].find((each) => Object.hasOwn(sizes.tables, each));
  return found === undefined ? undefined : sizes?.tables[found];
}

/** Estimates how long the work takes on a table of this size. The result is "unknown" if the size is unknown. */
export function bandOf(work: Work, size: TableSize | undefined): Band {
  if (work === "none") return "under 1 s";
  if (!size) return "unknown";
  const seconds = (work === "rows" ? size.rows : size.bytes) / speeds[work];
  return bands.find(([limit]) => seconds < limit)?.[1] ?? "hours";
}

const order: readonly Band[] = [
  "under 1 s",
  "seconds",
  "unknown",
  "up to a minute",
  "minutes",
  "up to an hour",
  "hours",
];

/** Returns the longer of two durations. An unknown one counts as longer than seconds and shorter than minutes. */
export function longer(a: Band, b: Band): Band {
  return order.indexOf(a) >= order.indexOf(b) ? a : b;
}
