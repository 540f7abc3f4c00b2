import { keyOf } from "../../migrations/sql/identifier";
import { named, target } from "../names";
import { commandsOf } from "../prepare/commands";
import { defineRule } from "./rule";
import { always, stops } from "./words";

/** This rule reports a foreign key NOT VALID on a partitioned table. */
export const foreignKeyPartitioned = defineRule({
  finds: {
    "foreign-key-partitioned": {
      classes: ["failing"],
      bad: "ALTER TABLE events ADD CONSTRAINT events_user_fkey FOREIGN KEY (id) REFERENCES users (id) NOT VALID;",
      good: `ALTER TABLE events_2026 ADD CONSTRAINT events_user_fkey FOREIGN KEY (id) REFERENCES users (id) NOT VALID;
ALTER TABLE events_2026 VALIDATE CONSTRAINT events_user_fkey;`,
    },
  },
  statement({ node }, facts) {
    return commandsOf(node).flatMap(({ cmd: { def }, table }) => {
      if (!def || !("Constraint" in def) || def.Constraint.contype !== "CONSTR_FOREIGN") return [];
      if (!def.Constraint.skip_validation || !facts.table(table)?.partitioned) return [];
      return [
        {
          rule: "foreign-key-partitioned" as const,
          severity: "warning" as const,
          target: target(table, def.Constraint.conname ?? keyOf(table)),
          what: `Adds a foreign key NOT VALID to partitioned table ${named(table)}, which Postgres before 18 refuses.`,
          who: stops,
          howLong: always,
          safe: {
            migrations: [],
            note: "Add it to each partition NOT VALID, validate it there, and then add it to the table without NOT VALID.",
          },
        },
      ];
    });
  },
});
