import { nameOf, nameText } from "../../migrations/sql/identifier";
import { named, target } from "../names";
import { refreshesConcurrently } from "../safe/unblock";
import { defineRule } from "./rule";
import { always, stops } from "./words";

/** This rule reports REFRESH MATERIALIZED VIEW CONCURRENTLY on a view without the unique index that it needs. */
export const refreshWithoutUnique = defineRule({
  finds: {
    "refresh-without-unique": {
      classes: ["failing"],
      bad: "REFRESH MATERIALIZED VIEW CONCURRENTLY totals;",
      good: "CREATE UNIQUE INDEX CONCURRENTLY totals_user_id_key ON totals (user_id);",
    },
  },
  statement({ node }, facts) {
    if (!("RefreshMatViewStmt" in node) || !node.RefreshMatViewStmt.concurrent || !node.RefreshMatViewStmt.relation)
      return [];
    const name = nameOf(node.RefreshMatViewStmt.relation);
    if (facts.table(name)?.kind !== "materialized view" || refreshesConcurrently(name, facts.schema)) return [];
    return [
      {
        rule: "refresh-without-unique",
        severity: "error",
        target: target(name),
        what: `Refreshes ${named(name)} CONCURRENTLY, which has no unique index on columns without WHERE: Postgres refuses that.`,
        who: stops,
        howLong: always,
        safe: {
          migrations: [],
          note: `Create one first: \`CREATE UNIQUE INDEX CONCURRENTLY … ON ${nameText(name)} (…);\``,
        },
      },
    ];
  },
});
