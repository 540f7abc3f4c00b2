import type { Catalog } from "../../migrations/schema/expectation";
import { maskSql } from "../../migrations/sql/mask-sql";

/** Whether a statement was run. */
type StatementState = "applied" | "not applied" | "unknown";

/** The state of one statement, and the evidence for it. */
export interface Verdict {
  readonly state: StatementState;
  readonly evidence: string;
  /**
   * This matters only if the state is unknown: true if the statement defines something, and it is not known whether
   * that exists because of the statement.
   */
  readonly untold: boolean;
}

/**
 * Decides for each statement whether it was run, given the catalog before the first statement, after each of them, and
 * as it is now. Statements run one after the other: if what they touch is now exactly as after the third, the first
 * three are applied and the others are not. If the states before and after a statement are alike, the result is
 * unknown.
 */
export function byStates(catalogs: readonly Catalog[], actual: Catalog): Verdict[] {
  const changes = catalogs.slice(1).map((after, index) => changedKeys(catalogs[index]!, after));
  const touched = [...new Set(changes.flat())];
  const positions = positionsOf(catalogs, touched, actual);
  return changes.map((keys, index): Verdict => {
    if (positions.length > 0) {
      const state = stateAt(index, positions);
      return { state, evidence: evidenceOf(keys, state, catalogs[index + 1]!, actual), untold: keys.length > 0 };
    }
    return byKeys(keys, index, catalogs, actual);
  });
}

/** Returns the indexes of the states in which all these entries are as they are now. */
function positionsOf(catalogs: readonly Catalog[], keys: readonly string[], actual: Catalog): number[] {
  return [...catalogs.keys()].filter((index) => keys.every((key) => catalogs[index]![key] === actual[key]));
}

function stateAt(statement: number, positions: readonly number[]): Verdict["state"] {
  if (Math.min(...positions) > statement) return "applied";
  return Math.max(...positions) <= statement ? "not applied" : "unknown";
}

/**
 * Judges a statement by each entry separately, because together the entries match no point of the migration (somebody
 * went on by hand).
 */
function byKeys(keys: readonly string[], index: number, catalogs: readonly Catalog[], actual: Catalog): Verdict {
  const after = catalogs[index + 1]!;
  const byKey = keys.map((key) => {
    const positions = positionsOf(catalogs, [key], actual);
    return {
      key,
      other: positions.length === 0,
      state: positions.length === 0 ? "unknown" : stateAt(index, positions),
    };
  });
  const other = byKey.find((each) => each.other);
  if (other) return { state: "unknown", evidence: evidenceOf([other.key], "unknown", after, actual), untold: true };
  const states = new Set(byKey.map(({ state }) => state).filter((state) => state !== "unknown"));
  const [state = "unknown"] = states.size === 1 ? states : [];
  const telling = byKey.filter((each) => each.state === state).map(({ key }) => key);
  return {
    state: state as Verdict["state"],
    evidence: evidenceOf(telling.length > 0 ? telling : keys, state as Verdict["state"], after, actual),
    untold: keys.length > 0,
  };
}

/**
 * Returns the entries that a statement changes. Owners and privileges depend on who ran the statement, so they are
 * returned only if it changes nothing else.
 */
function changedKeys(before: Catalog, after: Catalog): string[] {
  if (before === after) return [];
  const all = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => before[key] !== after[key]);
  const own = all.filter((key) => !/^(owner of|privileges on) /.test(key));
  return own.length > 0 ? own : all;
}

function evidenceOf(keys: readonly string[], state: Verdict["state"], after: Catalog, actual: Catalog): string {
  const key = keys.find((each) => state !== "not applied" || after[each] !== actual[each]) ?? keys[0];
  if (key === undefined)
    return state === "unknown" ? "the catalog doesn't tell" : "told by the statements before and after it";
  const now = actual[key] === undefined ? `there is no ${key}` : describe(key, actual[key]);
  if (state === "applied") return now;
  if (state === "unknown" && after[key] === actual[key]) return `${now}, as it may have been before`;
  return `${now}; the statement makes it ${after[key] === undefined ? "go" : short(after[key]) || "be there"}`;
}

function describe(key: string, definition: string): string {
  return definition === "" ? `there is ${key}` : `${key} is ${short(definition)}`;
}

function short(definition: string): string {
  const line = maskSql(definition);
  return line.length > 120 ? `${line.slice(0, 120)}…` : line;
}
