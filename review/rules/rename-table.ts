import { keyOf, type Name, nameOf } from "../../migrations/sql/identifier";
import type { Facts } from "../facts";
import { code, named, target } from "../names";
import { renameTable as renameTableSafely } from "../safe/change";
import { type Draft, defineRule } from "./rule";
import { rollout } from "./words";

/** This rule reports a table or view that gets another name or schema. */
export const renameTable = defineRule({
  finds: {
    "rename-table": { classes: ["incompatible"], bad: "ALTER TABLE posts RENAME TO articles;" },
    "move-table": {
      classes: ["incompatible"],
      bad: "ALTER TABLE posts SET SCHEMA billing;",
      good: "ALTER TABLE posts SET SCHEMA billing;\nCREATE VIEW posts AS SELECT * FROM billing.posts;",
    },
  },
  statement({ node }, facts) {
    if (facts.plan.contract) return [];
    if ("AlterObjectSchemaStmt" in node && node.AlterObjectSchemaStmt.relation) {
      const name = nameOf(node.AlterObjectSchemaStmt.relation);
      const schema = node.AlterObjectSchemaStmt.newschema ?? "";
      if (facts.isNew(name)) return [];
      if (hasStandIn(name, { schema, name: name.name }, facts))
        return [standsIn("move-table", name, { schema, name: name.name })];
      return [
        {
          rule: "move-table",
          severity: "error",
          target: target(name),
          what: `Moves ${named(name)} into schema ${code(schema)}.`,
          who: "Pods of the old version no longer find it.",
          howLong: rollout,
        },
      ];
    }
    if (!("RenameStmt" in node) || !node.RenameStmt.relation) return [];
    const { renameType = "", relation, newname = "" } = node.RenameStmt;
    const name = nameOf(relation);
    if (!["OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW"].includes(renameType) || facts.isNew(name)) return [];
    if (hasStandIn(name, { ...name, name: newname }, facts))
      return [standsIn("rename-table", name, { ...name, name: newname })];
    return [
      {
        rule: "rename-table",
        severity: "error",
        target: target(name),
        what: `Renames ${named(name)} to ${code(newname)}.`,
        who: "Pods of the old version fail with every query that names it; the app can't be rolled back.",
        howLong: rollout,
        ...(renameType === "OBJECT_TABLE" && { safe: renameTableSafely(name, newname) }),
      },
    ];
  },
});

/**
 * Returns whether the same transaction makes a view of the whole table under the old name. Postgres passes reads and
 * writes of such a view to the table.
 */
function hasStandIn(from: Name, to: Name, { prepared }: Facts): boolean {
  return prepared.standIns.some(({ view, table }) => view === keyOf(from) && table === keyOf(to));
}

function standsIn<Id extends string>(rule: Id, from: Name, to: Name): Draft<Id> {
  return {
    rule,
    severity: "info",
    target: target(from),
    what: `${rule === "move-table" ? "Moves" : "Renames"} ${named(from)} to ${named(to)}, and creates a view under the old name.`,
    who: "Pods of the old version read and write through the view; TRUNCATE, COPY and foreign keys to it don't work.",
    howLong: rollout,
  };
}
