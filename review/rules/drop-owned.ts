import { roleNames, rolesText } from "./roles";
import { defineRule } from "./rule";
import { fromSnapshot, permanent } from "./words";

/** This rule reports DROP OWNED BY. */
export const dropOwned = defineRule({
  finds: {
    "drop-owned": {
      classes: ["destructive", "incompatible"],
      bad: "DROP OWNED BY app;",
      good: "-- Drop each object by its name.",
    },
  },
  statement({ node }) {
    if (!("DropOwnedStmt" in node)) return [];
    const { roles } = node.DropOwnedStmt;
    return [
      {
        rule: "drop-owned",
        severity: "error",
        target: roleNames(roles),
        what: `Drops all tables and other objects of ${rolesText(roles)} in this database, and takes all its rights away.`,
        who: "All users of these objects, and sessions of that role.",
        howLong: permanent,
        irreversible: fromSnapshot,
      },
    ];
  },
});
