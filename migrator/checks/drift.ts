import type { Catalog } from "../../migrations/schema/expectation";

/** An object that differs between two catalogs. */
export interface Difference {
  readonly key: string;
  /** The object's definition in each catalog; undefined: the object isn't in that catalog. */
  readonly expected: string | undefined;
  readonly actual: string | undefined;
}

/** Returns the differences between two catalogs. If a whole table is missing or additional, its parts are left out. */
export function differences(expected: Catalog, actual: Catalog): Difference[] {
  const keys = [...new Set([...Object.keys(expected), ...Object.keys(actual)])].sort();
  const found = keys
    .filter((key) => expected[key] !== actual[key])
    .map((key) => ({ key, expected: expected[key], actual: actual[key] }));
  const whole = new Set(
    found
      .filter((each) => each.key.startsWith("table ") && (each.expected === undefined || each.actual === undefined))
      .map(({ key }) => key.slice("table ".length)),
  );
  return found.filter(({ key }) => {
    const table = /^(?:column|constraint|trigger|policy) (.+)\.[^.]+$/.exec(key)?.[1];
    return table === undefined || !whole.has(table);
  });
}

/**
 * Describes a difference in one line: `+` marks an unexpected object, `-` a missing one, `~` one with another
 * definition.
 */
export function describeDifference({ key, expected, actual }: Difference): string {
  if (expected === undefined) return `+ ${key}${actual ? `: ${short(actual)}` : ""}`;
  if (actual === undefined) return `- ${key}${expected ? `: ${short(expected)}` : ""}`;
  return `~ ${key}: ${short(expected)}  →  ${short(actual)}`;
}

function short(definition: string): string {
  const line = definition.replace(/\s+/g, " ");
  return line.length > 160 ? `${line.slice(0, 160)}…` : line;
}
