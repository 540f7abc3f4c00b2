import { keyOf } from "../../migrations/sql/identifier";
import { named, target } from "../names";
import { commandsOf } from "../prepare/commands";
import { defineRule } from "./rule";
import { always, stops } from "./words";

/** This rule reports DETACH PARTITION … CONCURRENTLY on a table that has a default partition. */
export const detachWithDefault = defineRule({
  finds: {
    "detach-with-default": {
      classes: ["failing"],
      bad: "ALTER TABLE events DETACH PARTITION events_2026 CONCURRENTLY;",
      good: "ALTER TABLE events DETACH PARTITION events_2026;",
    },
  },
  statement({ node }, facts) {
    return commandsOf(node).flatMap(({ cmd: { def }, table }) => {
      if (!def || !("PartitionCmd" in def) || !def.PartitionCmd.concurrent) return [];
      const rest = facts.schema.children(keyOf(table)).find((child) => child.isDefault);
      if (!rest) return [];
      return [
        {
          rule: "detach-with-default" as const,
          severity: "error" as const,
          target: target(table),
          what: `Detaches a partition of ${named(table)} CONCURRENTLY: Postgres refuses that while there is a default partition (${named(rest.name)}).`,
          who: stops,
          howLong: always,
          safe: { migrations: [], note: "Detach it without CONCURRENTLY, with a short lock_timeout." },
        },
      ];
    });
  },
});
