import { named, target } from "../names";
import { alterations } from "../prepare/commands";
import { defineRule } from "./rule";
import { readers } from "./words";

/** This rule reports ALTER TABLE … SET UNLOGGED. */
export const setUnlogged = defineRule({
  finds: {
    "set-unlogged": {
      classes: ["destructive"],
      bad: "ALTER TABLE posts SET UNLOGGED;",
      good: "-- Keep a table logged whose rows must outlive a crash.",
    },
  },
  statement(statement, facts) {
    return alterations(statement, facts).flatMap(({ cmd, table }) =>
      cmd.subtype !== "AT_SetUnLogged"
        ? []
        : [
            {
              rule: "set-unlogged" as const,
              severity: "error" as const,
              target: target(table),
              what: `Makes ${named(table)} unlogged: a crash of the server empties it, and replicas and snapshots don't have its rows.`,
              who: readers,
              howLong: "As long as the table is unlogged",
            },
          ],
    );
  },
});
