import { constraintOf } from "../../migrations/schema/definition";
import type { Facts } from "../facts";
import { named, target } from "../names";
import { alterations, type Command } from "../prepare/commands";
import { notNullSteps } from "../safe/words";
import { defineRule } from "./rule";
import { rollout } from "./words";

/** This rule reports a column that becomes NOT NULL. */
export const newNotNull = defineRule({
  finds: {
    "new-not-null": {
      classes: ["failing", "incompatible"],
      bad: "ALTER TABLE users ALTER COLUMN name SET NOT NULL;",
    },
  },
  statement(statement, facts) {
    if (facts.plan.contract) return [];
    const forbidden = alterations(statement, facts).flatMap((command) =>
      forbids(command, facts).map((each) => ({ ...each, name: command.table })),
    );
    return forbidden.flatMap(({ name, column, later }) => {
      const table = facts.table(name);
      if (facts.isNewColumn(name, column)) return [];
      // The column is already NOT NULL, or a valid check forbids NULL, so the statement forbids nothing new.
      if (table?.columns.get(column)?.notNull) return [];
      if (table?.constraints.some(({ notNullOf, valid }) => notNullOf?.includes(column) && valid)) return [];
      return [
        {
          rule: "new-not-null" as const,
          classes: later ? (["incompatible"] as const) : undefined,
          severity: "warning" as const,
          target: target(name, column),
          what: `Forbids NULL in ${named(name, column)}${later ? "" : ", and fails if a row has one"}.`,
          who: "Pods of the old version fail when they write NULL, or leave the column out.",
          howLong: rollout,
          safe: {
            migrations: notNullSteps(name, column, true),
            note: "Release it after the version that always sets the column: it then runs when no old pod is left.",
          },
        },
      ];
    });
  },
});

/** Returns the columns that a subcommand makes NOT NULL. `later` means NOT VALID, so existing rows are not checked. */
function forbids(
  { cmd: { subtype, def }, table, column }: Command,
  facts: Facts,
): { column: string; later: boolean }[] {
  if (subtype === "AT_SetNotNull") return [{ column, later: false }];
  if (subtype !== "AT_AddConstraint" || !def || !("Constraint" in def)) return [];
  const constraint = constraintOf(def.Constraint, table.name, facts.schema);
  if (constraint?.kind !== "not null" && constraint?.kind !== "primary") return [];
  return constraint.columns.map((each) => ({ column: each, later: def.Constraint.skip_validation === true }));
}
