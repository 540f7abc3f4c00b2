const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** For people: `512 B`, `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1).replace(/\.0$/, "")} ${UNITS[unit]}`;
}

/** Bytes of `500MiB`, `20GiB`, `1TiB` or a bare number; undefined where the text is none. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB|TiB)?$/.exec(text);
  return match ? Number(match[1]) * 1024 ** UNITS.indexOf(match[2] ?? "B") : undefined;
}
