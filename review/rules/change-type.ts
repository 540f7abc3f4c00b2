import { columnType, typeText } from "../../migrations/sql/column-type";
import { code, named, target } from "../names";
import { alterations } from "../prepare/commands";
import { narrowing } from "../prepare/narrowing";
import { defineRule } from "./rule";
import { rollout } from "./words";

/** This rule reports a column whose new type can hold every value, but may be unexpected for the old version. */
export const changeType = defineRule({
  finds: {
    "change-type": {
      classes: ["incompatible"],
      bad: "ALTER TABLE users ALTER COLUMN email TYPE VARCHAR;",
      good: "-- No change is needed where the old version reads both types alike.",
    },
  },
  statement(statement, facts) {
    if (facts.plan.contract) return [];
    return alterations(statement, facts).flatMap(({ cmd: { subtype, def }, table: name, column }) => {
      if (subtype !== "AT_AlterColumnType") return [];
      const before = facts.table(name)?.columns.get(column);
      const definition = def && "ColumnDef" in def ? def.ColumnDef : undefined;
      const to = columnType(definition?.typeName);
      if (!before || (to && facts.schema.enums.has(to.name))) return [];
      if (narrowing(before.type, to, facts.schema, definition?.raw_default !== undefined) !== "none") return [];
      if (typeText(before.type) === typeText(to)) return [];
      return [
        {
          rule: "change-type" as const,
          severity: "info" as const,
          target: target(name, column),
          what: `Changes ${named(name, column)} from ${code(typeText(before.type))} to ${code(typeText(to))}.`,
          who: "Pods of the old version may get values that they don't expect; prepared statements fail once.",
          howLong: rollout,
        },
      ];
    });
  },
});
