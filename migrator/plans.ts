import type { Node } from "libpg-query";
import type { Migration } from "../migrations/history/history";
import { type MigrationPlan, planMigration } from "../migrations/history/plan";

/**
 * The size of a file, in characters, from which its syntax trees are not kept, because they would take too much memory.
 * The statements of such a file are parsed again, one at a time.
 */
const NODES_BELOW = 64 * 1024;

/**
 * The plans of a run's migrations. Each plan is made once, because parsing is most of what this program computes. The
 * caller must have awaited `loadParser`.
 */
export class Plans {
  readonly #plans = new Map<Migration, MigrationPlan>();

  /** Returns the plan of a migration, which is made on the first call. */
  of(migration: Migration): MigrationPlan {
    return this.withNodes(migration).plan;
  }

  /**
   * Returns the plan of a migration. The syntax trees of its statements are included if this call made the plan and the
   * file is small.
   */
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
