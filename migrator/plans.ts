import type { Migration } from "../migrations/history";
import { type MigrationPlan, planMigration } from "../migrations/plan";

const plans = new WeakMap<Migration, MigrationPlan>();

/** The plan of a migration, made once: parsing is most of what this program computes. `loadParser` must have been awaited. */
export function planOf(migration: Migration): MigrationPlan {
  let plan = plans.get(migration);
  if (!plan) {
    plan = planMigration(migration);
    plans.set(migration, plan);
  }
  return plan;
}
