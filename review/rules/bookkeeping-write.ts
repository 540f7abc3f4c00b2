import type { Name } from "../../migrations/sql/identifier";
import { named, target } from "../names";
import { changedTables } from "../prepare/changed-tables";
import { isCatalog } from "./catalog-write";
import { defineRule } from "./rule";

/** This rule reports changes of the tables in which migrations are recorded. */
export const bookkeepingWrite = defineRule({
  finds: {
    "bookkeeping-write": {
      classes: ["destructive", "history"],
      bad: "DELETE FROM _prisma_migrations WHERE rolled_back_at IS NOT NULL;",
      good: "-- Leave it out: `resolve` and `baseline` of the migrator change the records.",
    },
  },
  statement({ node }, facts) {
    return changedTables(node)
      .filter((name) => !isCatalog(name, facts) && isBookkeeping(name))
      .map((name) => ({
        rule: "bookkeeping-write" as const,
        severity: "error" as const,
        target: target(name),
        what: `Changes ${named(name)}, in which the migrator records the applied migrations.`,
        who: "This release and all later ones: which migrations are applied is no longer known.",
        howLong: "Until somebody repairs the records",
        safe: { migrations: [], note: "Leave it out: `resolve` and `baseline` change the records." },
      }));
  },
});

/** Returns whether the name is Prisma's history table or the migrator's own schema. */
function isBookkeeping({ schema, name }: Name): boolean {
  return name === "_prisma_migrations" || schema === "_release" || (schema === undefined && name === "_release");
}
