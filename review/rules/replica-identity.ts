import { named, target } from "../names";
import { alterations } from "../prepare/commands";
import { defineRule } from "./rule";

/** This rule reports ALTER TABLE … REPLICA IDENTITY NOTHING. */
export const replicaIdentity = defineRule({
  finds: {
    "replica-identity": {
      classes: ["incompatible"],
      bad: "ALTER TABLE posts REPLICA IDENTITY NOTHING;",
      good: "ALTER TABLE posts REPLICA IDENTITY DEFAULT;",
    },
  },
  statement(statement, facts) {
    return alterations(statement, facts).flatMap(({ cmd: { subtype, def }, table }) => {
      const none = def && "ReplicaIdentityStmt" in def && def.ReplicaIdentityStmt.identity_type === "n";
      if (subtype !== "AT_ReplicaIdentity" || !none) return [];
      return [
        {
          rule: "replica-identity" as const,
          severity: "warning" as const,
          target: target(table),
          what: `Removes the replica identity of ${named(table)}.`,
          who: "UPDATE and DELETE on the table fail, in the app too, if a publication has the table.",
          howLong: "Until it has one again",
        },
      ];
    });
  },
});
