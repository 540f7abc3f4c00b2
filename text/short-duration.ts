const UNITS: Record<string, number> = {
  ...{ ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1 },
  ...{ s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 },
};
const PART = /(\d{1,9}(?:\.\d+)?)(ns|us|µs|ms|[smhd])/g;

/**
 * Reads a duration such as `500ms`, `5s`, `15m`, `1h30m` or `2d`. Apart from days,
 * this is the format of Go's time.ParseDuration.
 * @returns milliseconds; undefined if the text is no duration
 */
export function parseDuration(text: string): number | undefined {
  const parts = [...text.matchAll(PART)];
  if (text === "" || parts.map(([part]) => part).join("") !== text) return undefined;
  return parts.reduce((sum, [, amount, unit = ""]) => sum + Number(amount) * (UNITS[unit] ?? 0), 0);
}

/** Formats milliseconds for people: `340 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function formatDuration(milliseconds: number): string {
  const value = Math.max(0, milliseconds);
  if (value < 1000) return `${Math.round(value)} ms`;
  if (value < 60_000) return `${trim((value / 1000).toFixed(1))} s`;
  if (value < 3_600_000) return pair(value, 60_000, "min", 1000, "s");
  if (value < 86_400_000) return pair(value, 3_600_000, "h", 60_000, "min");
  return pair(value, 86_400_000, "d", 3_600_000, "h");
}

function trim(text: string): string {
  return text.replace(/\.0$/, "");
}

function pair(value: number, large: number, largeName: string, small: number, smallName: string): string {
  const whole = Math.floor(value / large);
  const rest = Math.floor((value % large) / small);
  return rest === 0 ? `${whole} ${largeName}` : `${whole} ${largeName} ${rest} ${smallName}`;
}
