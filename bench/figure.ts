import { columns } from "../local/commands/output";

/** One measured figure, with the limit that the project sets itself. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: "ms" | "MiB" | "times";
  /** The value must not be above it; undefined = for comparison only. */
  readonly limit?: number | undefined;
  /** How it was measured, or what of. */
  readonly note?: string;
}

export function isOk({ value, limit }: Figure): boolean {
  return limit === undefined || value <= limit;
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** A table for people, as wide as its widest cell. */
export function table(figures: readonly Figure[]): string {
  const show = ({ unit }: Figure, value: number) =>
    unit === "times" ? value.toFixed(2) : `${Math.round(value)} ${unit}`;
  const rows = figures.map((each) => [
    each.name,
    show(each, each.value),
    each.limit === undefined ? "" : show(each, each.limit),
    each.limit === undefined ? "" : isOk(each) ? "ok" : "MISSED",
    each.note ?? "",
  ]);
  return columns([["figure", "measured", "limit", "", ""], ...rows]).join("\n");
}
