import { columnType, typeText } from "../../migrations/sql/column-type";
import { code, named, target } from "../names";
import { alterations } from "../prepare/commands";
import { narrowing } from "../prepare/narrowing";
import { type Draft, defineRule } from "./rule";
import { permanent } from "./words";

type Id = "narrow-type";

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
    return alterations(statement, facts).flatMap(({ cmd: { subtype, def }, table: name, column }): Draft<Id>[] => {
      if (subtype !== "AT_AlterColumnType" || !def || !("ColumnDef" in def)) return [];
      const from = facts.table(name)?.columns.get(column)?.type;
      const to = columnType(def.ColumnDef.typeName);
      const { enums } = facts.schema;
      const change = narrowing(from, to, facts.schema, def.ColumnDef.raw_default !== undefined);
      // The rule remove-enum-value judges the enums that Prisma exchanges.
      if (change === "none" || (to && enums.has(to.name) && from && enums.has(from.name))) return [];
      const found = {
        rule: "narrow-type" as const,
        target: target(name, column),
        howLong: permanent,
        irreversible: "Only a snapshot brings back what was cut.",
      };
      const what = `Changes ${named(name, column)} from ${from ? code(typeText(from)) : "its type"} to ${code(typeText(to))}`;
      if (change === "rounds")
        return [
          {
            ...found,
            classes: contract ? ["destructive"] : ["destructive", "incompatible"],
            severity: "error",
            what: `${what}, which rounds values.`,
            who: "All readers of these values.",
          },
        ];
      const unknown = from === undefined ? " (the history doesn't tell the old type)" : "";
      return [
        {
          ...found,
          classes: contract ? ["destructive", "failing"] : undefined,
          severity: from === undefined ? "warning" : "error",
          what: `${what}, which may not hold every value${unknown}.`,
          who: `The migration, which fails at such a value or cuts it${contract ? "" : "; pods of the old version, which fail when they write one"}.`,
        },
      ];
    });
  },
});
