import type { Section, Settings } from "./schema";

/** A setting that is wrong in combination with other settings. */
export interface Problem {
  path: PropertyKey[];
  allowed: string;
}

/** A rule for settings that are wrong only in combination. */
export interface Rule {
  /** The sections that the rule compares. The rule is skipped while one of them is invalid. */
  needs: Section[];
  broken(settings: Settings): Problem[];
}

/** Returns the problem of the setting at a path, or nothing if the rule isn't broken. */
export const problem = (broken: boolean, path: PropertyKey[], allowed: string): Problem[] =>
  broken ? [{ path, allowed }] : [];
