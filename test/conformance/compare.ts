import type { Observation } from "./observe";

export interface Difference {
  field: keyof Observation;
  text: string;
}

/** Where two engines came to something else. */
export function differences(embedded: Observation, real: Observation): Difference[] {
  const fields = Object.keys(embedded) as (keyof Observation)[];
  return fields.flatMap((field) => {
    const [left, right] = [lines(embedded[field]), lines(real[field])];
    const only = [
      ...missing(left, right).map((line) => `only embedded: ${line}`),
      ...missing(right, left).map((line) => `only pulumi:   ${line}`),
    ];
    return only.length === 0 ? [] : [{ field, text: [`${field} differ`, ...only].join("\n  ") }];
  });
}

function lines(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(String);
  if (typeof value !== "object" || value === null) return [JSON.stringify(value)];
  return Object.entries(value).map(([key, item]) => `${key}: ${JSON.stringify(item)}`);
}

/** Lines of the one that the other has less often. */
function missing(lines: string[], others: string[]): string[] {
  const left = [...others];
  return lines.filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
