import { named, target } from "../names";
import { alterations, writtenParts } from "../prepare/commands";
import { contractMark } from "../safe/words";
import { defineRule } from "./rule";
import { contractNote, fromSnapshot, oldPodsFail, permanent, rollbackFails } from "./words";

/** This rule reports ALTER TABLE … DROP COLUMN. */
export const dropColumn = defineRule({
  finds: {
    "drop-column": { classes: ["destructive", "incompatible"], bad: "ALTER TABLE users DROP COLUMN age;" },
  },
  statement(statement, facts) {
    const { contract } = facts.plan;
    return alterations(statement, facts).flatMap((each) => {
      const { cmd, table: name, column } = each;
      const table = facts.table(name);
      if (cmd.subtype !== "AT_DropColumn") return [];
      if (cmd.missing_ok && table?.known && !table.columns.has(column)) return [];
      const { head, command } = writtenParts(statement.text, each);
      return [
        {
          rule: "drop-column" as const,
          classes: contract ? (["destructive"] as const) : undefined,
          severity: "error" as const,
          target: target(name, column),
          what: `Drops column ${named(name, column)} and all its data.`,
          who: contract ? rollbackFails : oldPodsFail,
          howLong: permanent,
          irreversible: fromSnapshot,
          ...(!contract && { safe: { migrations: [`${contractMark}${head} ${command};`], note: contractNote } }),
        },
      ];
    });
  },
});
