import { keyOf, type Name, nameOf, nameOfParts } from "../../migrations/sql/identifier";
import { named, target } from "../names";
import { partitionedIndex } from "../safe/words";
import { defineRule } from "./rule";
import { always, stops } from "./words";

/** This rule reports an index of a partitioned table that is created or dropped CONCURRENTLY. */
export const concurrentlyPartitioned = defineRule({
  finds: {
    "concurrently-partitioned": {
      classes: ["failing"],
      bad: "CREATE INDEX CONCURRENTLY events_id_idx ON events (id);",
      good: `CREATE INDEX events_id_idx ON ONLY events (id);
-- then a migration for each partition:
CREATE INDEX CONCURRENTLY events_2026_id_idx ON events_2026 (id);
-- then: ALTER INDEX events_id_idx ATTACH PARTITION events_2026_id_idx;`,
    },
  },
  statement({ node }, facts) {
    if ("IndexStmt" in node && node.IndexStmt.concurrent && node.IndexStmt.relation) {
      const name = nameOf(node.IndexStmt.relation);
      return facts.table(name)?.partitioned
        ? [refused(target(name, node.IndexStmt.idxname ?? "index"), "Builds an index on", name, partitionedIndex)]
        : [];
    }
    if (!("DropStmt" in node) || !node.DropStmt.concurrent) return [];
    return (node.DropStmt.objects ?? []).flatMap((object) => {
      const index = nameOfParts(object);
      const table = facts.schema.tables.get(facts.schema.indexes.get(keyOf(index))?.table ?? "");
      if (!table?.partitioned) return [];
      const note = "Without CONCURRENTLY it waits for every query on the table; set a short lock_timeout.";
      return [refused(keyOf(index), `Drops index ${named(index)} of`, table.name, note)];
    });
  },
});

function refused(about: string, does: string, table: Name, note: string) {
  return {
    rule: "concurrently-partitioned" as const,
    severity: "error" as const,
    target: about,
    what: `${does} partitioned table ${named(table)} CONCURRENTLY: Postgres refuses that.`,
    who: stops,
    howLong: always,
    safe: { migrations: [], note },
  };
}
