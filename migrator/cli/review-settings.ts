import type { Runner } from "../../review/facts";
import type { Acknowledgement } from "../../review/gate";
import { type FindingClass, findingClasses } from "../../settings/finding-classes";
import type { ReviewSettings } from "../settings";

const RUNNERS: readonly Runner[] = ["migrator", "command"];
const KEYS = ["checksum", "finding", "migration", "reason"];

/**
 * Reads `--refuse CLASS` and `--acknowledge JSON` (both repeatable) and `--runner NAME`.
 * @param mistakes receives a message for each mistake; the messages don't repeat the values of acknowledgements
 */
export function readReview(
  refuse: readonly string[],
  acknowledge: readonly string[],
  runner: string,
  mistakes: string[],
): ReviewSettings {
  for (const each of refuse)
    if (!isClass(each)) mistakes.push(`--refuse is "${each}", and must be one of ${findingClasses.join(", ")}.`);
  const acknowledgements = acknowledge.map(parse);
  if (!acknowledgements.every(isAcknowledgement))
    mistakes.push(`--acknowledge must be a JSON object with the texts ${KEYS.join(", ")}.`);
  if (!RUNNERS.includes(runner as Runner))
    mistakes.push(`--runner is "${runner}", and must be one of ${RUNNERS.join(", ")}.`);
  return {
    refuse: refuse.filter(isClass),
    acknowledgements: acknowledgements.filter(isAcknowledgement),
    runner: runner === "command" ? runner : "migrator",
  };
}

function isClass(text: string): text is FindingClass {
  return findingClasses.some((each) => each === text);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isAcknowledgement(value: unknown): value is Acknowledgement {
  if (typeof value !== "object" || value === null || Object.keys(value).sort().join() !== KEYS.join()) return false;
  return Object.values(value).every((each) => typeof each === "string");
}
