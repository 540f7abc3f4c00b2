import { columns } from "../local/commands/output";

/** One measured figure, with the limit that the project sets itself. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: "ms" | "MiB" | "times";
  /** The largest allowed value; undefined for a figure that is only a comparison. */
  readonly limit?: number | undefined;
  /** The way in which it was measured, or its details. */
  readonly note?: string;
}

export function isOk({ value, limit }: Figure): boolean {
  return limit === undefined || value <= limit;
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** Formats the figures as a table with aligned columns. */
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
