import type { DriftObject, Snapshot } from "./object";

/** Why a change can't be written as SQL. */
export interface Never {
  readonly never: string;
}

/** What a rule looks at besides the object: the database as it is to be, and the server's major version. */
export interface Goal {
  readonly to: Snapshot;
  readonly major: number;
}

/** How objects of one kind are made, changed and dropped. */
export interface Rule {
  create(object: DriftObject, goal: Goal): readonly string[] | Never;
  remove(object: DriftObject): readonly string[];
  /** Returns the statements that change an object in place; undefined: it is dropped and made again. */
  alter?(from: DriftObject, to: DriftObject, goal: Goal): readonly string[] | Never | undefined;
  /** What is lost for good when it is dropped, as the rest of "Destructive: …"; undefined: nothing. */
  readonly loses?: string;
  /** Says what may be lost by a change in place. */
  changeLoses?(from: DriftObject, to: DriftObject): string | undefined;
  /**
   * True: it is dropped after everything else is made, as others may need it until then. False: before, as it may be in
   * the way.
   */
  readonly droppedLast?: boolean;
}

/** Returns true if a rule's answer is that there is no SQL. */
export function isNever(answer: readonly string[] | Never | undefined): answer is Never {
  return answer !== undefined && "never" in answer;
}

/** Returns the names of the facts in which two objects differ, sorted. */
export function changedFacts(from: DriftObject, to: DriftObject): string[] {
  const names = new Set([...Object.keys(from.facts), ...Object.keys(to.facts)]);
  const text = (object: DriftObject, name: string) => JSON.stringify(object.facts[name] ?? null);
  return [...names].filter((name) => text(from, name) !== text(to, name)).sort();
}
