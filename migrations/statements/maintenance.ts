import type { CommentStmt, RangeVar, VacuumStmt } from "libpg-query";
import { objectNamed, objectText, type SchemaObject } from "../schema/schema-object";
import { optionOf } from "../sql/constant";
import { nameOf, nameOfParts } from "../sql/identifier";
import type { Family } from "./family";
import { onTable } from "./policies";
import { plain, skipped } from "./replay-rules";
import { type Before, notInHistory, type Undo } from "./undo";

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
    undo: () => [],
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
    undo: () => [],
  },
  CheckPointStmt: { opinion: "harmless", kind: () => "CHECKPOINT", undo: () => [] },
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
    apply(statement, schema) {
      const object = commentOn(statement);
      if (!object) return;
      if (statement.comment === undefined) schema.definitions?.delete(object);
      else schema.definitions?.set(object, { CommentStmt: statement });
    },
    undo: earlierComment,
  },
};

function isFull({ options }: VacuumStmt): boolean {
  return optionOf(options, "full") !== undefined;
}

function tablesOf({ rels }: VacuumStmt): RangeVar[] {
  return (rels ?? []).flatMap((item) => ("VacuumRelation" in item ? (item.VacuumRelation.relation ?? []) : []));
}

function commentOn({ objtype, object }: CommentStmt): SchemaObject | undefined {
  const target = objectNamed(objtype, object);
  return target && { kind: "comment on", key: objectText(target) };
}

function earlierComment(statement: CommentStmt, { schema, write }: Before): Undo[] {
  const { objtype, object } = statement;
  const of = commentOn(statement);
  if (!objtype || !object || !of)
    return [{ of: { kind: "other", key: "COMMENT" }, never: notInHistory, harmless: true }];
  const target = objectNamed(objtype, object)!;
  const known = schema.definitions?.get(of);
  // An object without a recorded comment had none, if the history has made the object.
  if (!known && !schema.definitions?.has(target)) return [{ of, never: notInHistory, harmless: true }];
  const text = write(known?.node ?? { CommentStmt: { objtype, object } });
  return text === undefined ? [{ of, never: notInHistory, harmless: true }] : [{ of, sql: [text] }];
}
