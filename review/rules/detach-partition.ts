import { nameOf } from "../../migrations/sql/identifier";
import { named, target } from "../names";
import { alterations } from "../prepare/commands";
import { defineRule } from "./rule";

/** This rule reports ALTER TABLE … DETACH PARTITION. */
export const detachPartition = defineRule({
  finds: {
    "detach-partition": {
      classes: ["incompatible"],
      bad: "ALTER TABLE events DETACH PARTITION events_2026;",
      good: "-- Release it as a contract migration, after the version that no longer reads these rows.",
    },
  },
  statement(statement, facts) {
    return alterations(statement, facts).flatMap(({ cmd: { subtype, def }, table }) => {
      if (subtype !== "AT_DetachPartition" || !def || !("PartitionCmd" in def) || !def.PartitionCmd.name) return [];
      const partition = nameOf(def.PartitionCmd.name);
      if (facts.isNew(partition)) return [];
      return [
        {
          rule: "detach-partition" as const,
          severity: "warning" as const,
          target: target(partition),
          what: `Detaches partition ${named(partition)} from ${named(table)}, whose queries no longer find its rows.`,
          who: "All readers of these rows by the partitioned table, and all writers of rows that belong there.",
          howLong: "Until it is attached again",
        },
      ];
    });
  },
});
