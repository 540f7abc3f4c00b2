import { named, target } from "../names";
import { alterations } from "../prepare/commands";
import { defineRule } from "./rule";
import { rollout } from "./words";

/** This rule reports a column that may contain NULL from now on. */
export const nullable = defineRule({
  finds: {
    nullable: {
      classes: ["incompatible"],
      bad: "ALTER TABLE users ALTER COLUMN email DROP NOT NULL;",
      good: "-- No change is needed. Let the app write NULL from the next version on.",
    },
  },
  statement(statement, facts) {
    if (facts.plan.contract) return [];
    return alterations(statement, facts).flatMap(({ cmd, table: name, column }) =>
      cmd.subtype !== "AT_DropNotNull" || facts.table(name)?.columns.get(column)?.notNull === false
        ? []
        : [
            {
              rule: "nullable" as const,
              severity: "info" as const,
              target: target(name, column),
              what: `Allows NULL in ${named(name, column)}.`,
              who: "Pods of the old version may fail to read a NULL that the new version writes.",
              howLong: rollout,
            },
          ],
    );
  },
});
