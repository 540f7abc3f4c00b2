import type { RuleText } from "./rule";

/** The kinds of findings that only a run of the migrations on a server of their own can tell. */
export const trialRules = {
  "fails-when-run": {
    classes: ["failing"],
    bad: "-- Add a unique index; review.seed loads two rows with the same value.",
    happens:
      "The migration failed when it was run after the history before it and the seed (`--run`). The release would fail there too.",
    good: "-- Correct the rows first, in a migration before it.",
  },
  "not-resumable": {
    classes: ["partial"],
    bad: "-- A statement outside a transaction that can't be run a second time.",
    happens:
      "The migrator was killed in the middle and run again (`--run`): it refused to go on, or the schema was another one than after an undisturbed run.",
    good: "-- Write the statement so that it can be run again: IF NOT EXISTS, IF EXISTS.",
  },
  "not-repeatable": {
    classes: ["partial"],
    bad: "-- A migration that undoes its own row in _prisma_migrations.",
    happens: "The migrator was run once more after all migrations were applied (`--run`), and changed something.",
    good: "-- Leave the tables alone in which migrations are recorded.",
  },
  "old-version-broken": {
    classes: ["incompatible"],
    bad: "DO $$ BEGIN EXECUTE 'ALTER TABLE users DROP COLUMN name'; END $$;",
    happens:
      "After the migrations that run before the rollout (`--run`), a table or column is missing or different that the base's Prisma schema uses. Pods of the old version still run then, and fail.",
    good: "-- release: contract\nALTER TABLE users DROP COLUMN name;",
  },
} satisfies Record<string, RuleText>;

/** The id of a kind of findings of a trial. */
export type TrialRule = keyof typeof trialRules;
