import { commitBefore, uncommittedValues, usesValue } from "../prepare/enum-uses";
import { defineRule } from "./rule";
import { always, stops } from "./words";

/** This rule reports a new enum value that is used in the transaction that adds it. */
export const enumValueInTransaction = defineRule({
  finds: {
    "enum-value-in-transaction": {
      classes: ["failing"],
      bad: "BEGIN;\nALTER TYPE mood ADD VALUE 'glad';\nUPDATE users SET mood = 'glad' WHERE id = 1;\nCOMMIT;",
    },
  },
  statement(statement, facts) {
    if (facts.plan.mode !== "own") return [];
    return uncommittedValues(statement, facts).map((added) => ({
      rule: "enum-value-in-transaction" as const,
      severity: "error" as const,
      target: `${added.value.type}.${added.value.value}`,
      what: `${usesValue(added)}, and there is no COMMIT between the two.`,
      who: stops,
      howLong: always,
      safe: commitBefore(statement, facts),
      once: true,
    }));
  },
});
