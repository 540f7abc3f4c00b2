import { columnType, narrows, typeText } from "../../migrations/sql/column-type";
import { code, named, target } from "../names";
import { alterations } from "../prepare/commands";
import { defineRule } from "./rule";
import { permanent } from "./words";

/** This rule reports a column whose new type may not hold every value. */
export const narrowType = defineRule({
  finds: {
    "narrow-type": {
      classes: ["destructive", "failing", "incompatible"],
      bad: "ALTER TABLE users ALTER COLUMN name TYPE VARCHAR(10);",
      good: "ALTER TABLE users ADD CONSTRAINT users_name_short CHECK (length(name) <= 10) NOT VALID;",
    },
  },
  statement(statement, facts) {
    const { contract } = facts.plan;
    return alterations(statement, facts).flatMap(({ cmd: { subtype, def }, table: name, column }) => {
      if (subtype !== "AT_AlterColumnType" || !def || !("ColumnDef" in def)) return [];
      const from = facts.table(name)?.columns.get(column)?.type;
      const to = columnType(def.ColumnDef.typeName);
      const { enums } = facts.schema;
      // The rule remove-enum-value judges the enums that Prisma exchanges.
      if (!narrows(from, to) || (to && enums.has(to.name) && from && enums.has(from.name))) return [];
      const unknown = from === undefined ? " (the history doesn't tell the old type)" : "";
      return [
        {
          rule: "narrow-type" as const,
          classes: contract ? (["destructive", "failing"] as const) : undefined,
          severity: from === undefined ? ("warning" as const) : ("error" as const),
          target: target(name, column),
          what: `Changes ${named(name, column)} from ${from ? code(typeText(from)) : "its type"} to ${code(typeText(to))}, which may not hold every value${unknown}.`,
          who: `The migration, which fails at such a value or cuts it${contract ? "" : "; pods of the old version, which fail when they write one"}.`,
          howLong: permanent,
          irreversible: "Only a snapshot brings back what was cut.",
        },
      ];
    });
  },
});
