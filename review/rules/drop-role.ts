import { code } from "../names";
import { defineRule } from "./rule";
import { appConnections } from "./words";

/** This rule reports DROP ROLE and DROP USER. */
export const dropRole = defineRule({
  finds: {
    "drop-role": {
      classes: ["incompatible", "failing"],
      bad: "DROP ROLE app;",
      good: "-- Drop roles where they are created, outside of migrations.",
    },
  },
  statement({ node }, facts) {
    if (!("DropRoleStmt" in node) || facts.plan.contract) return [];
    return (node.DropRoleStmt.roles ?? []).flatMap((item) => {
      const name = "RoleSpec" in item ? (item.RoleSpec.rolename ?? "") : "";
      if (facts.isMade("role", name)) return [];
      return [
        {
          rule: "drop-role" as const,
          severity: "warning" as const,
          target: name,
          what: `Drops role ${code(name)}, and fails while the role owns anything or has a right, in any database of the server.`,
          who: appConnections,
          howLong: "Until the role is created again",
        },
      ];
    });
  },
});
