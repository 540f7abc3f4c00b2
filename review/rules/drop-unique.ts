import type { Node } from "libpg-query";
import { keyOf } from "../../migrations/sql/identifier";
import { codes, named, target } from "../names";
import { uniqueKey, uniquesDropped } from "../prepare/uniques";
import { contractMark } from "../safe/words";
import { defineRule } from "./rule";
import { contractNote, rollout } from "./words";

/**
 * This rule reports a unique index that is dropped. An upsert runs `INSERT … ON CONFLICT (email)`, which needs a unique
 * index on exactly these columns.
 */
export const dropUnique = defineRule({
  finds: { "drop-unique": { classes: ["incompatible"], bad: "DROP INDEX CONCURRENTLY users_email_key;" } },
  statement({ node, text }, facts) {
    if (facts.plan.contract) return [];
    const { droppedColumns, uniques } = facts.prepared;
    return uniquesDropped(node, facts.schema).flatMap(({ table, index, columns }) => {
      if (facts.isNew(table) || columns.length === 0) return [];
      const key = uniqueKey(table, columns);
      const another = facts.schema
        .indexesOf(keyOf(table))
        .some((other) => other.unique && other.name.name !== index && uniqueKey(table, other.columns) === key);
      // If the migration also drops a column of the index, the rule drop-column reports that.
      const withColumn = columns.some((column) => droppedColumns.has(target(table, column)));
      if (another || withColumn || uniques.has(key)) return [];
      return [
        {
          rule: "drop-unique" as const,
          severity: "warning" as const,
          target: target(table, index),
          what: `Drops the unique index on ${codes([...columns])} of ${named(table)}.`,
          who: "Pods of the old version fail at each upsert by these columns (INSERT … ON CONFLICT), and may write duplicates.",
          howLong: rollout,
          safe: { migrations: isSingle(node) ? [`${contractMark}${text};`] : [], note: contractNote },
        },
      ];
    });
  },
});

/** Returns whether the statement drops only one object. */
function isSingle(node: Node): boolean {
  if ("DropStmt" in node) return (node.DropStmt.objects ?? []).length === 1;
  return "AlterTableStmt" in node && (node.AlterTableStmt.cmds ?? []).length === 1;
}
