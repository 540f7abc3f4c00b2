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
  "lock-not-foreseen": {
    classes: ["blocking"],
    bad: "DO $$ BEGIN EXECUTE 'ALTER TABLE users ADD COLUMN note TEXT'; END $$;",
    happens:
      "When the migration was run (`--run`, or the rehearsal on a copy), it held a lock that keeps the app from reading or writing, and that the review did not foresee from its text.",
    good: "ALTER TABLE users ADD COLUMN note TEXT;",
  },
  "rewrite-not-foreseen": {
    classes: ["blocking"],
    bad: "DO $$ BEGIN EXECUTE 'ALTER TABLE users ALTER COLUMN age TYPE BIGINT'; END $$;",
    happens:
      "When the migration was run (`--run`, or the rehearsal on a copy), it rewrote a whole table, and the review did not foresee it from its text.",
    good: "-- Add a new column, copy the values in batches, and drop the old column in a later release.",
  },
  "scan-not-foreseen": {
    classes: ["blocking"],
    bad: "DO $$ BEGIN EXECUTE 'ALTER TABLE users ALTER COLUMN name SET NOT NULL'; END $$;",
    happens:
      "When the migration was run (`--run`, or the rehearsal on a copy), it read a whole table while it defined something, and the review did not foresee it from its text.",
    good: "-- Add the constraint as NOT VALID, and validate it in a migration of its own.",
  },
  "less-than-foreseen": {
    classes: ["blocking"],
    bad: "-- A statement that the review takes for heavier than it is.",
    happens:
      "The review says that a statement reads or rewrites a table. When it was run (`--run`, or the rehearsal on a copy) on a table with rows, it did not.",
    good: "-- No change is needed.",
  },
} satisfies Record<string, RuleText>;

/** The id of a kind of findings of a trial. */
export type TrialRule = keyof typeof trialRules;
