import type { Migration } from "../migrations/history/history";
import type { Finding } from "../review/finding";
import { type TrialRule, trialRules } from "../review/rules/trial";

/** What a finding of a trial says, besides what follows from its rule and migration. */
interface Said extends Pick<Finding, "what" | "who" | "howLong"> {
  /** The object that it is about, such as `notes.title`. Default: the whole migration. */
  readonly about?: string;
  /** The line in migration.sql. Default: 1. */
  readonly line?: number;
}

/** Makes a finding of a trial about one migration. */
export function trialFinding(rule: TrialRule, { name, checksum }: Migration, said: Said): Finding {
  const { about, line = 1, ...texts } = said;
  return {
    ...texts,
    id: about === undefined ? rule : `${rule} ${about}`,
    rule,
    classes: trialRules[rule].classes,
    severity: "error",
    migration: name,
    checksum,
    line,
  };
}
