import type { Migration } from "../../migrations/history/history";
import type { MigrationPlan } from "../../migrations/history/plan";
import type { Applied } from "../applied";
import type { Finding } from "../finding";
import type { RuleText } from "./rule";

const classes = ["history"] as const;

/** The kinds of contradictions between the folder of migrations and the released ones. */
export const historyRules = {
  edited: {
    classes,
    bad: "-- Edit the migration.sql of a released migration.",
    happens: "Databases that have the migration don't get the change; the migrator refuses to continue.",
    good: "-- Undo the change, and write a new migration.",
  },
  missing: {
    classes,
    bad: "-- Delete the folder of a released migration.",
    happens: "The migrator refuses to continue: it doesn't know what the database has.",
    good: "-- Restore the folder from version control.",
  },
  "out-of-order": {
    classes,
    bad: "-- Add a migration whose name sorts before a released one.",
    happens: "A new database gets the migrations in another order than the existing one.",
    good: "-- Rename the folder to a later time.",
  },
  "after-contract": {
    classes,
    bad: "-- Add a migration after one with the line `-- release: contract`.",
    happens:
      "The release is refused: the contract migration runs only after the rollout, and nothing can run after it.",
    good: "-- Move it before the contract migration, or into a later release.",
  },
} satisfies Record<string, RuleText>;

type Found = Pick<Finding, "migration" | "checksum" | "what" | "who"> & { readonly rule: keyof typeof historyRules };

/** Finds the contradictions between the folder of migrations and the released ones. */
export function judgeHistory(
  history: readonly Migration[],
  applied: readonly Applied[],
  pending: readonly MigrationPlan[],
): Finding[] {
  return [...deployed(history, applied), ...order(applied, pending), ...contracts(pending)].map((found) => ({
    ...found,
    id: found.rule,
    classes,
    severity: found.rule === "out-of-order" ? "warning" : "error",
    line: 1,
    howLong: "Until somebody repairs it",
  }));
}

function deployed(history: readonly Migration[], applied: readonly Applied[]): Found[] {
  const folder = new Map(history.map((migration) => [migration.name, migration]));
  return applied.flatMap(({ name: migration, checksum }): Found[] => {
    const now = folder.get(migration);
    if (!now)
      return [
        {
          rule: "missing",
          migration,
          checksum: checksum ?? "",
          what: "The migration was released, but is no longer in the folder.",
          who: "The migrator refuses to continue; restore the folder from version control.",
        },
      ];
    if (checksum === undefined || now.checksum === checksum) return [];
    return [
      {
        rule: "edited",
        migration,
        checksum: now.checksum,
        what: "The migration was changed after its release: databases that have it don't get the change.",
        who: "The migrator refuses to continue; undo the change and write a new migration.",
      },
    ];
  });
}

function order(applied: readonly Applied[], pending: readonly MigrationPlan[]): Found[] {
  const last = applied.map(({ name }) => name).reduce((a, b) => (compare(a, b) > 0 ? a : b), "");
  return pending
    .filter(({ name }) => last !== "" && compare(name, last) < 0)
    .map(({ name: migration, checksum }) => ({
      rule: "out-of-order",
      migration,
      checksum,
      what: `The migration is older by name than ${last}, which is released: a new database gets them in another order than this one.`,
      who: "Whoever sets up a new database; rename the folder to a later time.",
    }));
}

function contracts(pending: readonly MigrationPlan[]): Found[] {
  return pending.flatMap(({ name: migration, checksum, contract }, index): Found[] => {
    const before = pending.slice(0, index).findLast((plan) => plan.contract);
    if (contract || !before) return [];
    return [
      {
        rule: "after-contract",
        migration,
        checksum,
        what: `The migration follows the contract migration ${before.name}, which runs only after the rollout; it can't run before it.`,
        who: "The release is refused; move it before that one, or into a later release.",
      },
    ];
  });
}

function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
