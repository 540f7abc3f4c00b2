import { identifier, keyOf, literal, nameOfParts } from "../../migrations/sql/identifier";
import { code } from "../names";
import { defineRule } from "./rule";
import { rollout } from "./words";

/** This rule reports ALTER TYPE … ADD VALUE and RENAME VALUE. */
export const enumValue = defineRule({
  finds: {
    "rename-enum-value": { classes: ["incompatible"], bad: "ALTER TYPE mood RENAME VALUE 'sad' TO 'low';" },
    "new-enum-value": {
      classes: ["incompatible"],
      bad: "ALTER TYPE mood ADD VALUE 'glad';",
      good: "-- No change is needed. Let the app write the value from the next version on.",
    },
  },
  statement({ node }, facts) {
    if (!("AlterEnumStmt" in node) || facts.plan.contract) return [];
    const { typeName, oldVal, newVal = "" } = node.AlterEnumStmt;
    const type = keyOf(nameOfParts(typeName));
    const users = facts.schema.using(type).filter(({ table }) => !facts.isNew(table.name));
    if (users.length === 0 && facts.schema.enums.has(type)) return [];
    if (oldVal === undefined)
      return [
        {
          rule: "new-enum-value",
          severity: "info",
          target: `${type}.${newVal}`,
          what: `Adds value ${code(newVal)} to enum ${code(type)}.`,
          who: "Pods of the old version may fail to read a row in which the new version wrote it.",
          howLong: rollout,
          irreversible: "A value can't be removed from an enum.",
        },
      ];
    return [
      {
        rule: "rename-enum-value",
        severity: "error",
        target: `${type}.${oldVal}`,
        what: `Renames value ${code(oldVal)} of enum ${code(type)} to ${code(newVal)}.`,
        who: "Pods of the old version fail when they read or write it.",
        howLong: rollout,
        safe: {
          migrations: [`ALTER TYPE ${identifier(type)} ADD VALUE ${literal(newVal)};`],
          note: "Then let the new version write the new value, change the rows in batches, and leave the old value in the type. In Prisma no SQL is needed: keep the value with @map.",
        },
      },
    ];
  },
});
