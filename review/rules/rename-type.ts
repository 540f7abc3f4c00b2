import { keyOf, nameOfParts } from "../../migrations/sql/identifier";
import { code } from "../names";
import { defineRule } from "./rule";
import { rollout } from "./words";

/** This rule reports ALTER TYPE … RENAME TO for a type that a column has. */
export const renameType = defineRule({
  finds: {
    "rename-type": {
      classes: ["incompatible"],
      bad: "ALTER TYPE mood RENAME TO feeling;",
      good: "-- Keep the type's name. In Prisma: @@map on the enum.",
    },
  },
  statement({ node }, facts) {
    if (!("RenameStmt" in node) || node.RenameStmt.renameType !== "OBJECT_TYPE" || facts.plan.contract) return [];
    const type = keyOf(nameOfParts(node.RenameStmt.object));
    // Prisma exchanges an enum by two renames. The rule remove-enum-value judges them as one change.
    if (facts.prepared.exchanges.has(type)) return [];
    if (facts.schema.using(type).every(({ table }) => facts.isNew(table.name))) return [];
    return [
      {
        rule: "rename-type",
        severity: "warning",
        target: type,
        what: `Renames type ${code(type)} to ${code(node.RenameStmt.newname ?? "")}.`,
        who: "Pods of the old version that name it in a cast fail.",
        howLong: rollout,
      },
    ];
  },
});
