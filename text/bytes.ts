const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Formats a number of bytes for people: `512 B`, `1.5 GiB`, `20 GiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value < 10 ? value.toFixed(1).replace(/\.0$/, "") : Math.round(value)} ${UNITS[unit]}`;
}

const DECIMAL: Record<string, number> = { k: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/**
 * Reads a size as people write it, such as `500MiB` or `20 GiB`, or as a Kubernetes quantity, such as `128Mi` or
 * `500M`. A number without a unit is in bytes.
 * @returns bytes; undefined if the text is no size
 */
export function parseBytes(text: string): number | undefined {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)\s*([KMGT]iB?|[kMGT]|B)?$/.exec(text) ?? [];
  if (number === undefined) return undefined;
  return Number(number) * (DECIMAL[unit] ?? 1024 ** Math.max(0, UNITS.indexOf(unit.replace(/i$/, "iB"))));
}
