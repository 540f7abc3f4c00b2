import { keyOf, nameOfParts, nameText } from "../../migrations/sql/identifier";
import { blockedBy } from "../../migrations/sql/locks";
import { ownMigration } from "../safe/words";
import { defineRule } from "./rule";
import { waiting } from "./waiting";

/** This rule reports DROP INDEX without CONCURRENTLY, which locks the index's table. */
export const dropIndexLocks = defineRule({
  finds: { "drop-index-locks": { classes: ["blocking"], bad: "DROP INDEX users_age_idx;" } },
  statement({ node, effect }, facts) {
    if (!("DropStmt" in node) || node.DropStmt.removeType !== "OBJECT_INDEX" || node.DropStmt.concurrent) return [];
    const names = (node.DropStmt.objects ?? []).map((object) => nameOfParts(object));
    const tables = names.flatMap((name) => facts.schema.indexes.get(keyOf(name))?.table ?? []);
    if (tables.length > 0 && tables.every((table) => facts.isNew({ name: table }))) return [];
    const exists = node.DropStmt.missing_ok ? "IF EXISTS " : "";
    const blocked = effect.tables.filter(({ lock }) => blockedBy(lock) !== "nothing");
    return [
      {
        rule: "drop-index-locks",
        severity: "info",
        target: names.map((name) => keyOf(name)).join(", "),
        what: "Waits for every query on the table, and all later queries wait behind it.",
        who: blocked.length > 0 ? waiting(blocked) : "All queries on the table block.",
        howLong: "Under 1 s, once it has the lock",
        safe: {
          migrations: names.map((name) => `DROP INDEX CONCURRENTLY ${exists}${nameText(name)};`),
          note: ownMigration,
        },
      },
    ];
  },
});
