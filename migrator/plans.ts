import type { Node } from "libpg-query";
import type { Migration } from "../migrations/history/history";
import { type MigrationPlan, planMigration } from "../migrations/history/plan";

/** Of larger files the trees would take too much memory; they are parsed again, a statement at a time. */
const NODES_BELOW = 64 * 1024;

/** The plans of a run's migrations, each made once: parsing is most of what this program computes. `loadParser` must have been awaited. */
export class Plans {
  readonly #plans = new Map<Migration, MigrationPlan>();

  /** Plans a migration, unless that was done before. */
  of(migration: Migration): MigrationPlan {
    return this.withNodes(migration).plan;
  }

  /** Plans a migration; with the trees of its statements where they were made just now. */
  withNodes(migration: Migration): { plan: MigrationPlan; nodes?: readonly Node[] } {
    const known = this.#plans.get(migration);
    if (known) return { plan: known };
    const nodes: Node[] = [];
    const small = migration.sql.length < NODES_BELOW;
    const plan = planMigration(migration, small ? ({ node }) => nodes.push(node) : undefined);
    this.#plans.set(migration, plan);
    return small ? { plan, nodes } : { plan };
  }
}
