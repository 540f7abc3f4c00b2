import { nameText } from "../../migrations/sql/identifier";
import { named, target } from "../names";
import { alterations, writtenParts } from "../prepare/commands";
import { contractMark } from "../safe/words";
import { type Draft, defineRule } from "./rule";
import { rollout } from "./words";

/** This rule reports a column that loses its default, identity or generation expression. */
export const dropDefault = defineRule({
  finds: { "drop-default": { classes: ["incompatible"], bad: "ALTER TABLE users ALTER COLUMN mood DROP DEFAULT;" } },
  statement(statement, facts) {
    if (facts.plan.contract) return [];
    return alterations(statement, facts).flatMap((each): Draft<"drop-default">[] => {
      const { cmd, table: name, column } = each;
      const added = facts.isNewColumn(name, column);
      const base = { rule: "drop-default" as const, target: target(name, column), howLong: rollout };
      if (cmd.subtype === "AT_ColumnDefault")
        return cmd.def !== undefined || !facts.table(name)?.columns.get(column)?.notNull
          ? []
          : [
              {
                ...base,
                severity: added ? "error" : "warning",
                what: `Drops the default of required column ${named(name, column)}.`,
                who: "INSERTs of the old version's pods that leave the column out fail.",
                safe: {
                  migrations: [
                    `${contractMark}ALTER TABLE ${nameText(name)} ${writtenParts(statement.text, each).command};`,
                  ],
                  note: "The default does no harm until the rollout is complete.",
                },
              },
            ];
      const identity = cmd.subtype === "AT_DropIdentity";
      if (added || !(identity || cmd.subtype === "AT_DropExpression")) return [];
      return [
        {
          ...base,
          severity: "warning",
          what: `No longer fills ${named(name, column)} by itself.`,
          who: `Pods of the old version leave the column out: ${identity ? "their INSERTs fail" : "their rows have NULL in it, or are refused"}.`,
        },
      ];
    });
  },
});
