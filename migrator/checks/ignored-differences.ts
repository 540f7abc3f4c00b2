import type { Catalog } from "../../migrations/schema/expectation";
import type { Difference } from "./drift";
import { type IgnoreReasons, ignoring } from "./drift/ignore";
import { tableOf } from "./outside-history";

/** The kinds of objects, as patterns name them, for which a catalog has one kind only. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  type: ["enum", "domain", "range type", "composite type"],
  table: ["table", "foreign table"],
  constraint: ["constraint", "foreign key"],
  function: ["function", "procedure"],
};

/**
 * Takes out of the differences between two catalogs those that are ignored.
 * @returns the others, and each ignored object with its reason
 */
export function splitIgnored(
  all: readonly Difference[],
  { expected, actual }: { readonly expected: Catalog; readonly actual: Catalog },
  reasons: IgnoreReasons,
): { found: Difference[]; ignored: string[] } {
  const reasonOf = ignoring(reasons);
  const ignoredFor = (difference: Difference) => {
    const table = tableOf(difference, [expected, actual]);
    const keys = [difference.key, ...(table === undefined ? [] : [`table ${table}`])];
    return keys.flatMap(allKinds).flatMap((key) => reasonOf(key) ?? [])[0];
  };
  const judged = all.map((difference) => ({ difference, reason: ignoredFor(difference) }));
  return {
    found: judged.flatMap(({ difference, reason }) => (reason === undefined ? difference : [])),
    ignored: judged.flatMap(({ difference: { key }, reason }) => (reason === undefined ? [] : `${key} (${reason})`)),
  };
}

function allKinds(key: string): string[] {
  const kind = Object.keys(KINDS).find((each) => key.startsWith(`${each} `));
  return kind === undefined ? [key] : KINDS[kind]!.map((each) => `${each}${key.slice(kind.length)}`);
}
