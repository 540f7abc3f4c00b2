import type { Observation } from "./observe";
import type { Engine } from "./operation";
import type { Ran } from "./run-operation";
import type { Command, Stage } from "./stage";

/** One command of a story, and what it must come to on every engine. */
export interface Scenario {
  name: string;
  /** What happens before: changed settings, new migrations, faults, somebody's hand in the cloud. */
  before?(stage: Stage): void | Promise<void>;
  command: Command;
  ok: boolean;
  /**
   * Steps of resources in any order, `create Job`, `2 create ConfigMap`; what must come before what is checked besides
   * (order.ts). Left out where they depend on the moment of an interruption.
   */
  steps?: string[];
  /** What else must hold; says what is wrong. */
  also?(observed: Observation): string | undefined;
  /** Fields of the observation that may differ between engines, because the moment of an interruption decides. */
  mayDiffer?: (keyof Observation)[];
}

/** Commands one after the other on the same stack. */
export interface Story {
  name: string;
  /** The one engine that can play it; by default both play it and are compared. */
  only?: Engine;
  scenarios: Scenario[];
}

/** `create Job`, `delete Snapshot (retained)`: the steps of what exists outside the engine. */
export function shortSteps({ steps }: Ran): string[] {
  const counts = new Map<string, number>();
  for (const { op, type, status, found, retained } of steps) {
    if (status === "started" || found === "same" || !/^(aws|kubernetes|command):/.test(type)) continue;
    const notes = [found, retained ? "retained" : undefined, status === "failed" ? "failed" : undefined].filter(
      Boolean,
    );
    const text = `${op} ${type.split(":").at(-1)}${notes.length > 0 ? ` (${notes.join(", ")})` : ""}`;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].map(([text, count]) => (count > 1 ? `${count} ${text}` : text)).sort();
}
