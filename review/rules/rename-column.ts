import { typeText } from "../../migrations/sql/column-type";
import { nameOf } from "../../migrations/sql/identifier";
import { code, named, target } from "../names";
import { renameColumn as renameColumnSafely } from "../safe/change";
import { defineRule } from "./rule";
import { rollout } from "./words";

/** This rule reports ALTER TABLE … RENAME COLUMN. */
export const renameColumn = defineRule({
  finds: {
    "rename-column": { classes: ["incompatible"], bad: "ALTER TABLE users RENAME COLUMN name TO full_name;" },
  },
  statement({ node }, facts) {
    if (!("RenameStmt" in node) || !node.RenameStmt.relation || facts.plan.contract) return [];
    const { renameType, relationType, relation, subname = "", newname = "" } = node.RenameStmt;
    const name = nameOf(relation);
    if (renameType !== "OBJECT_COLUMN" || relationType === "OBJECT_TYPE") return [];
    if (facts.isNew(name) || facts.isNewColumn(name, subname)) return [];
    const column = facts.table(name)?.columns.get(subname);
    const type = column?.type && typeText(column.type);
    return [
      {
        rule: "rename-column",
        severity: "error",
        target: target(name, subname),
        what: `Renames column ${named(name, subname)} to ${code(newname)}.`,
        who: "Pods of the old version fail with every query that names it; the app can't be rolled back.",
        howLong: rollout,
        safe: renameColumnSafely(name, subname, newname, type, column, facts.schema),
      },
    ];
  },
});
