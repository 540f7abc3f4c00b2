import { emptiedBy } from "../../migrations/schema/truncate";
import { keyOf } from "../../migrations/sql/identifier";
import { named, target } from "../names";
import { defineRule } from "./rule";
import { always, stops } from "./words";

/** This rule reports TRUNCATE without CASCADE of a table that foreign keys of other tables reference. */
export const truncateReferenced = defineRule({
  finds: {
    "truncate-referenced": { classes: ["failing"], bad: "TRUNCATE users;", good: "TRUNCATE users, posts;" },
  },
  statement({ node }, facts) {
    if (!("TruncateStmt" in node) || node.TruncateStmt.behavior === "DROP_CASCADE") return [];
    const tables = emptiedBy(node.TruncateStmt, facts.schema);
    const keys = new Set(tables.map((table) => keyOf(table)));
    return tables.flatMap((name) =>
      facts.schema
        .referencing(keyOf(name))
        .filter((other) => !keys.has(keyOf(other.name)))
        .map((other) => ({
          rule: "truncate-referenced" as const,
          severity: "error" as const,
          target: target(name),
          what: `Empties ${named(name)}, but a foreign key of ${named(other.name)} points to it: Postgres refuses that even if both are empty.`,
          who: stops,
          howLong: always,
          safe: {
            migrations: [],
            note: `Name ${named(other.name)} in the same TRUNCATE, if it is to be emptied too; or DELETE the rows.`,
          },
        })),
    );
  },
});
