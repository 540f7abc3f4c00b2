import type { Node } from "libpg-query";
import { keyOf } from "../../migrations/sql/identifier";
import { codes, named, target } from "../names";
import { uniqueKey, uniquesDropped } from "../prepare/uniques";
import { contractMark } from "../safe/words";
import { defineRule } from "./rule";
import { contractNote, rollout } from "./words";

/** A unique index that goes: `INSERT … ON CONFLICT (email)`, which is what an upsert becomes, needs one on just these columns. */
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
      // What goes with its column is reported there.
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

/** The statement drops this and nothing else. */
function isSingle(node: Node): boolean {
  if ("DropStmt" in node) return (node.DropStmt.objects ?? []).length === 1;
  return "AlterTableStmt" in node && (node.AlterTableStmt.cmds ?? []).length === 1;
}
