import type { RangeVar, VacuumStmt } from "libpg-query";
import { optionOf } from "../sql/constant";
import { nameOf, nameOfParts } from "../sql/identifier";
import type { Family } from "./family";
import { onTable } from "./policies";
import { plain, skipped } from "./replay-rules";

/** Maintenance statements, and COMMENT. */
export const maintenance: Family<"VacuumStmt" | "ClusterStmt" | "CheckPointStmt" | "CommentStmt"> = {
  VacuumStmt: {
    opinion: "judged",
    kind: ({ is_vacuumcmd }) => (is_vacuumcmd ? "VACUUM" : "ANALYZE"),
    unknown: (statement) =>
      isFull(statement) && tablesOf(statement).length === 0
        ? "it writes every table of the database anew, each under an ACCESS EXCLUSIVE lock"
        : undefined,
    refusedInTransaction: ({ is_vacuumcmd }) => (is_vacuumcmd ? "VACUUM" : undefined),
    lock(statement, _schema, effects) {
      for (const relation of tablesOf(statement))
        if (isFull(statement))
          effects.touch(nameOf(relation), "ACCESS EXCLUSIVE", "rewrite", "the table is written anew");
        else effects.touch(nameOf(relation), "SHARE UPDATE EXCLUSIVE");
    },
    replay: skipped,
  },
  ClusterStmt: {
    opinion: "judged",
    kind: () => "CLUSTER",
    unknown: ({ relation }) => (relation ? undefined : "it rewrites every table that was clustered before"),
    refusedInTransaction({ relation }, _text, partitioned) {
      if (!relation?.relname) return "CLUSTER without a table";
      return partitioned(relation.schemaname, relation.relname) ? "CLUSTER of a partitioned table" : undefined;
    },
    lock: ({ relation }, _schema, effects) =>
      relation &&
      effects.touch(nameOf(relation), "ACCESS EXCLUSIVE", "rewrite", "rows are put into the order of an index"),
    replay: skipped,
  },
  CheckPointStmt: { opinion: "harmless", kind: () => "CHECKPOINT" },
  CommentStmt: {
    opinion: "judged",
    kind: () => "COMMENT",
    lock({ objtype, object }, _schema, effects) {
      if (!object) return;
      if (objtype === "OBJECT_TABLE" || objtype === "OBJECT_VIEW" || objtype === "OBJECT_MATVIEW")
        effects.touch(nameOfParts(object), "SHARE UPDATE EXCLUSIVE");
      else if (objtype === "OBJECT_COLUMN") effects.touch(onTable(object), "SHARE UPDATE EXCLUSIVE");
    },
    replay: plain,
  },
};

function isFull({ options }: VacuumStmt): boolean {
  return optionOf(options, "full") !== undefined;
}

function tablesOf({ rels }: VacuumStmt): RangeVar[] {
  return (rels ?? []).flatMap((item) => ("VacuumRelation" in item ? (item.VacuumRelation.relation ?? []) : []));
}
