import type { Node } from "libpg-query";
import type { Migration } from "../../migrations/history/history";
import { type MigrationPlan, planMigration } from "../../migrations/history/plan";

const plans = new WeakMap<Migration, MigrationPlan>();

/** Of larger files the trees would take too much memory; they are parsed again, a statement at a time. */
const NODES_BELOW = 64 * 1024;

/** The plan of a migration, made once: parsing is most of what this program computes. `loadParser` must have been awaited. */
export function planOf(migration: Migration): MigrationPlan {
  return planWithNodes(migration).plan;
}

/** The plan, and the trees of its statements where they were made just now. */
export function planWithNodes(migration: Migration): { plan: MigrationPlan; nodes?: readonly Node[] } {
  const known = plans.get(migration);
  if (known) return { plan: known };
  const nodes: Node[] = [];
  const small = migration.sql.length < NODES_BELOW;
  const plan = planMigration(migration, small ? ({ node }) => nodes.push(node) : undefined);
  plans.set(migration, plan);
  return small ? { plan, nodes } : { plan };
}
