import type { Json } from "../field-conflicts";
import type { LiveObject } from "../live-objects";
import type { Manifest } from "../manifest";

/** The reason why one object of the cluster can't be rolled out as it is, and what solves it. */
export interface Obstacle {
  /** One or more lines that say what was found. */
  what: string;
  /** What a person does about it; left out where the settings below are all. */
  next?: string;
  /** Settings that solve it, by their keys with dots. */
  settings?: Record<string, Json>;
}

/** An object of the rollout that exists: as the release declares it, and as it is. */
export interface Pair {
  manifest: Manifest;
  live: LiveObject;
}

/** Labels as text: `app=notes, tier=web`. */
export function labelsText(labels: Record<string, string>): string {
  return Object.entries(labels)
    .map(([label, value]) => `${label}=${value}`)
    .join(", ");
}

/** Whether these labels have every label of a selector. */
export function selects(selector: Record<string, string>, labels: Record<string, string>): boolean {
  return Object.entries(selector).every(([label, value]) => labels[label] === value);
}
