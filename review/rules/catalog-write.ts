import type { Name } from "../../migrations/sql/identifier";
import type { Facts } from "../facts";
import { named, target } from "../names";
import { changedTables } from "../prepare/changed-tables";
import { defineRule } from "./rule";
import { permanent } from "./words";

/** This rule reports changes of Postgres' own catalog. */
export const catalogWrite = defineRule({
  finds: {
    "catalog-write": {
      classes: ["destructive", "unknown"],
      bad: "UPDATE pg_attribute SET attnotnull = true WHERE attname = 'name';",
      good: "ALTER TABLE users ALTER COLUMN name SET NOT NULL;",
    },
  },
  statement({ node }, facts) {
    return changedTables(node)
      .filter((name) => isCatalog(name, facts))
      .map((name) => ({
        rule: "catalog-write" as const,
        severity: "error" as const,
        target: target(name),
        what: `Changes ${named(name)}, a table of Postgres' own catalog, without the checks that ALTER statements make.`,
        who: "All users of the database: one wrong value makes tables unreadable. A managed server refuses it.",
        howLong: permanent,
        irreversible: "Only a snapshot brings back a damaged catalog.",
        safe: { migrations: [], note: "Use ALTER TABLE and the like, which check what they change." },
      }));
  },
});

/** Returns whether a table belongs to Postgres' own catalog. */
export function isCatalog(name: Name, facts: Facts): boolean {
  if (name.schema !== undefined) return name.schema === "pg_catalog" || name.schema === "information_schema";
  return /^pg_/.test(name.name) && facts.table(name)?.madeIn === undefined;
}
