import { DRIFT_KINDS } from "../../../settings/drift-objects";
import { type DriftFinding, findings } from "./findings";
import type { DriftObject } from "./object";
import { type Managed, withoutObjects } from "./outside";

/** The reasons for which the drift of objects is ignored, by the patterns of these objects. */
export type IgnoreReasons = Readonly<Record<string, string>>;

/** A difference that is ignored, and is therefore no drift. */
export type IgnoredFinding = DriftFinding & { readonly reason: string };

/** Returns a function that returns the reason for which an object is ignored, by its key; undefined: it is not. */
export function ignoring(reasons: IgnoreReasons): (key: string) => string | undefined {
  const rules = Object.entries(reasons).map(([pattern, reason]) => ({ matches: expressionOf(pattern), reason }));
  return (key) => rules.find(({ matches }) => matches.test(key))?.reason;
}

function expressionOf(pattern: string): RegExp {
  const whole = DRIFT_KINDS.some((kind) => kind === pattern) ? `${pattern} *` : pattern;
  const parts = whole.split("*").map((part) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s");
}

/** Leaves out of both databases the objects that are ignored, with all their parts, and names what of them differs. */
export function withoutIgnored(
  managed: Managed,
  reasons: IgnoreReasons,
): Managed & { readonly ignored: readonly IgnoredFinding[] } {
  if (Object.keys(reasons).length === 0) return { ...managed, ignored: [] };
  const reasonOf = ignoring(reasons);
  const isIgnored = (key: string) => reasonOf(key) !== undefined;
  const expected = withoutObjects(managed.expected, isIgnored);
  const actual = withoutObjects(managed.actual, isIgnored);
  const left = new Set(findings(expected, actual).map(({ key }) => key));
  const gone = findings(managed.expected, managed.actual).filter(({ key }) => !left.has(key));
  const whole = wholes(managed);
  const reasonFor = (key: string): string =>
    reasonOf(key) ?? (whole.has(key) ? reasonFor(whole.get(key)!) : "it belongs to an object that is ignored");
  return {
    expected,
    actual,
    outside: managed.outside,
    ignored: gone.map((each) => ({ ...each, reason: reasonFor(each.key) })),
  };
}

/** Returns the keys of the objects that other ones are a part of, by the keys of the parts. */
function wholes({ expected, actual }: Managed): Map<string, string> {
  return new Map(
    [expected, actual].flatMap((objects) => {
      const keys = new Map([...objects].map(([key, { address }]) => [address, key]));
      return [...objects].flatMap(([key, { parent }]: [string, DriftObject]): [string, string][] =>
        parent !== null && keys.has(parent) ? [[key, keys.get(parent)!]] : [],
      );
    }),
  );
}
