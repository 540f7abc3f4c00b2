import { type DriftObject, type Fact, factText, type Snapshot } from "./object";
import { changedFacts } from "./rule";

/** An object that differs between the live database and its history. */
export interface DriftFinding {
  readonly key: string;
  /** `added`: only the database has it; `missing`: only the history. */
  readonly change: "added" | "missing" | "changed";
  readonly properties: readonly { readonly name: string; readonly history: Fact; readonly database: Fact }[];
  /** The role that made it, as far as the server knows; undefined: unknown, or the role of migrations. */
  readonly by?: string;
  /** The time of its last change (ISO 8601), if the server keeps the times of transactions. */
  readonly at?: string;
}

/** Returns the differences by key. The parts of an object that only one side has are left out. */
export function findings(expected: Snapshot, actual: Snapshot): DriftFinding[] {
  const keys = [...new Set([...expected.keys(), ...actual.keys()])].sort();
  const only = (here: Snapshot, there: Snapshot) =>
    new Set([...here].filter(([key]) => !there.has(key)).map(([, { address }]) => address));
  const [missing, added] = [only(expected, actual), only(actual, expected)];
  return keys.flatMap((key): DriftFinding[] => {
    const [before, after] = [expected.get(key), actual.get(key)];
    if (before && after) {
      const properties = changedFacts(before, after).map((name) => ({
        name,
        history: before.facts[name] ?? null,
        database: after.facts[name] ?? null,
      }));
      return properties.length > 0 ? [{ key, change: "changed", properties }] : [];
    }
    const isPart = ({ parent }: DriftObject, whole: ReadonlySet<string>) => parent !== null && whole.has(parent);
    if (before) return isPart(before, missing) ? [] : [{ key, change: "missing", properties: [] }];
    return isPart(after!, added) ? [] : [{ key, change: "added", properties: [] }];
  });
}

const LONGEST = 160;

/** Returns a difference as one line: `+` only the database has it, `-` only the history has it, `~` it is another. */
export function findingText(finding: DriftFinding): string {
  const { by, at } = finding;
  const origin = [by && `by ${by}`, at && `at ${at}`].filter(Boolean).join(", ");
  return `${changeText(finding)}${origin && ` (${origin})`}`;
}

function changeText({ key, change, properties }: DriftFinding): string {
  if (change !== "changed") return `${change === "added" ? "+" : "-"} ${key}`;
  const changes = properties.map(
    ({ name, history, database }) => `${name} ${shortFact(history)} → ${shortFact(database)}`,
  );
  return `~ ${key}: ${changes.join("; ")}`;
}

/** Returns a fact on one line, of at most 160 characters. */
export function shortFact(fact: Fact): string {
  const line = typeof fact === "boolean" ? (fact ? "yes" : "no") : factText(fact).replace(/\s+/g, " ").trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line || "none";
}
