import { signatureOf } from "../schema/definition";
import { enterDependent, forgetDependents } from "../schema/dependents";
import { perhaps, relationName } from "../schema/expectation";
import { usesOf } from "../schema/uses";
import { isOn, optionOf } from "../sql/constant";
import { keyOf, nameOf, nameText } from "../sql/identifier";
import { columnsMentioned } from "../sql/references";
import type { Drops, Family } from "./family";
import { defines, skipped } from "./replay-rules";

/** Statements about indexes and extended statistics. */
export const indexes: Family<"IndexStmt" | "ReindexStmt" | "CreateStatsStmt" | "AlterStatsStmt"> = {
  IndexStmt: {
    opinion: "judged",
    kind: ({ unique, concurrent }) => `CREATE ${unique ? "UNIQUE " : ""}INDEX${concurrent ? " CONCURRENTLY" : ""}`,
    refusedInTransaction: ({ concurrent }) => (concurrent ? "CREATE INDEX CONCURRENTLY" : undefined),
    lock({ relation, concurrent, if_not_exists, idxname }, schema, effects) {
      if (!relation) return;
      const there =
        if_not_exists && idxname !== undefined && schema.indexes.has(keyOf({ ...nameOf(relation), name: idxname }));
      const work = there ? "none" : "index";
      const table = schema.table(nameOf(relation));
      // A partitioned table has no rows of its own, so there is no work on it.
      effects.touch(
        nameOf(relation),
        concurrent ? "SHARE UPDATE EXCLUSIVE" : "SHARE",
        table?.partitioned ? "none" : work,
      );
      // Postgres refuses CREATE INDEX CONCURRENTLY on a partitioned table.
      if (table && relation.inh && !(concurrent && table.partitioned))
        for (const child of schema.descendants(keyOf(table.name)))
          effects.touch(child.name, "SHARE", child.partitioned ? "none" : work);
    },
    apply({ relation, idxname, indexParams = [], unique, whereClause, if_not_exists }, schema) {
      if (!relation) return;
      const table = schema.require(nameOf(relation));
      const elements = indexParams.map((item) => ("IndexElem" in item ? item.IndexElem : {}));
      const columns = indexParams.map((item) => ("IndexElem" in item ? (item.IndexElem.name ?? "(expression)") : ""));
      const plain = columns.map((column) => (column === "(expression)" ? "expr" : column));
      const name = { ...table.name, name: idxname ?? [table.name.name, ...plain, "idx"].join("_") };
      // Postgres leaves the index of that name as it is.
      if (if_not_exists && schema.indexes.has(keyOf(name))) return;
      const expressions = [whereClause, ...elements.map(({ expr }) => expr)];
      schema.indexes.set(keyOf(name), {
        name,
        table: keyOf(table.name),
        unique: unique === true,
        columns,
        partial: whereClause !== undefined,
        signature: signatureOf(elements, whereClause),
        derivedFrom: expressions.flatMap((each) => (each ? [...columnsMentioned(each)] : [])),
      });
      const of = keyOf(nameOf(relation));
      if (idxname !== undefined)
        enterDependent(
          schema,
          "index",
          of,
          idxname,
          new Set(expressions.flatMap((each) => [...usesOf(each, schema, of)])),
        );
    },
    expect(statement, schema) {
      const { idxname, relation, indexParams = [], indexIncludingParams = [], if_not_exists } = statement;
      if (!idxname || !relation) return [];
      const names = [...indexParams, ...indexIncludingParams].flatMap((each) =>
        "IndexElem" in each ? (each.IndexElem.name ?? []) : [],
      );
      return [
        {
          ...perhaps(`index ${relation.schemaname ?? schema}.${idxname}`, if_not_exists),
          partOf: `table ${relationName(relation, schema)}`,
          columns: new Set([...names, ...columnsMentioned(statement)]),
          definition: { matches: /^(?!.*\(INVALID\)$)/s, text: "valid" },
        },
      ];
    },
    replay: defines,
    remains: ({ idxname, relation }) => relation && { kind: "index", name: idxname, table: relation },
  },
  ReindexStmt: {
    opinion: "judged",
    kind: () => "REINDEX",
    refusedInTransaction({ kind, params, relation }, _text, partitioned) {
      if (isOn(params, "concurrently")) return "REINDEX CONCURRENTLY";
      if (kind !== "REINDEX_OBJECT_INDEX" && kind !== "REINDEX_OBJECT_TABLE") return "REINDEX of more than one table";
      return relation?.relname && partitioned(relation.schemaname, relation.relname)
        ? "REINDEX of a partitioned table"
        : undefined;
    },
    lock({ params, kind, relation }, schema, effects) {
      const lock = optionOf(params, "concurrently") ? "SHARE UPDATE EXCLUSIVE" : "SHARE";
      if (kind === "REINDEX_OBJECT_TABLE" && relation) effects.touch(nameOf(relation), lock, "index");
      else if (kind === "REINDEX_OBJECT_INDEX" && relation) {
        const index = schema.indexes.get(keyOf(nameOf(relation)));
        const unknown = `the history doesn't make the index ${nameText(nameOf(relation))}, so its table isn't known`;
        if (index) effects.touch(schema.named(index.table), lock, "index");
        else effects.cannotTell(unknown);
      } else effects.cannotTell("it builds the indexes of many tables anew");
    },
    replay: skipped,
    remains: ({ relation }) => relation && { kind: "reindex", relation },
  },
  CreateStatsStmt: {
    opinion: "judged",
    kind: () => "CREATE STATISTICS",
    lock({ relations }, _schema, effects) {
      for (const item of relations ?? [])
        if ("RangeVar" in item) effects.touch(nameOf(item.RangeVar), "SHARE UPDATE EXCLUSIVE");
    },
    replay: defines,
  },
  AlterStatsStmt: { opinion: "harmless", replay: defines },
};

/** The rules for DROP INDEX and DROP STATISTICS. */
export const indexDrops: Drops<"OBJECT_INDEX" | "OBJECT_STATISTIC_EXT"> = {
  OBJECT_INDEX: {
    opinion: "judged",
    entry: "index",
    lock(name, schema, effects, { concurrent, missing_ok }) {
      const index = schema.indexes.get(keyOf(name));
      if (index) effects.touch(schema.named(index.table), concurrent ? "SHARE UPDATE EXCLUSIVE" : "ACCESS EXCLUSIVE");
      else if (!missing_ok)
        effects.cannotTell(`the history doesn't make the index ${nameText(name)}, so its table isn't known`);
    },
    apply(name, schema) {
      schema.indexes.delete(keyOf(name));
      forgetDependents(schema, ({ kind, label }) => kind === "index" && label.startsWith(`index ${name.name} on `));
    },
  },
  OBJECT_STATISTIC_EXT: { opinion: "harmless" },
};
