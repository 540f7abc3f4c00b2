import type { Migration } from "./history";

/** The number of migrations that a new pod's database is asked for. Older ones were applied by earlier releases. */
const AWAITED = 20;

/** Matches a file with the directive `contract`. A text that only looks like it costs nothing but one name. */
const CONTRACT = /^\s*--+\s*release\s*:\s*contract\b/im;

/**
 * Returns the names of the migrations that a database must have before a pod of this release starts: the last 20 of the
 * history, because a migration that was merged late can stand before one that is applied. Those marked `-- release:
 * contract` are left out, because they are applied after the pods have started.
 */
export function awaitedMigrations(history: readonly Pick<Migration, "name" | "sql">[]): string[] {
  return history
    .filter(({ sql }) => !CONTRACT.test(sql))
    .slice(-AWAITED)
    .map(({ name }) => name);
}
