import type { IndexStmt, Node } from "libpg-query";
import { signatureOf } from "../schema/definition";
import { enterDependent, forgetDependents } from "../schema/dependents";
import { perhaps, relationName } from "../schema/expectation";
import { usesOf } from "../schema/uses";
import { isOn, optionOf } from "../sql/constant";
import { keyOf, type Name, nameOf, nameOfParts, nameText } from "../sql/identifier";
import { columnsMentioned } from "../sql/references";
import type { Drops, Family } from "./family";
import { defines, skipped } from "./replay-rules";
import { type Before, notInHistory, perhapsBefore, type Undo } from "./undo";
import { indexAgain } from "./undo-index";

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
    apply(statement, schema) {
      const { relation, idxname, indexParams = [], unique, whereClause, if_not_exists } = statement;
      if (!relation) return;
      const table = schema.require(nameOf(relation));
      const elements = indexParams.map((item) => ("IndexElem" in item ? item.IndexElem : {}));
      const columns = indexParams.map((item) => ("IndexElem" in item ? (item.IndexElem.name ?? "(expression)") : ""));
      const name = { ...table.name, name: idxname ?? chosenName(table.name.name, indexParams) };
      // Postgres leaves the index of that name as it is.
      if (if_not_exists && schema.indexes.has(keyOf(name))) return;
      const expressions = [whereClause, ...elements.map(({ expr }) => expr)];
      schema.definitions?.set(
        { kind: "index", key: keyOf(name) },
        idxname === undefined ? undefined : { IndexStmt: statement },
        { table: keyOf(table.name), columns: dependsOn(statement) },
      );
      schema.indexes.set(keyOf(name), {
        name,
        table: keyOf(table.name),
        unique: unique === true,
        columns,
        partial: whereClause !== undefined,
        signature: signatureOf(elements, whereClause),
        includes: (statement.indexIncludingParams ?? []).length > 0,
        method: statement.accessMethod ?? "btree",
        elements: elements.map(({ ordering, opclass }) => ({
          descending: ordering === "SORTBY_DESC",
          ...(opclass && { operatorClass: nameOfParts(opclass).name }),
        })),
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
    undo: dropIndex,
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
    undo: () => [],
  },
  CreateStatsStmt: {
    opinion: "judged",
    kind: () => "CREATE STATISTICS",
    lock({ relations }, _schema, effects) {
      for (const item of relations ?? [])
        if ("RangeVar" in item) effects.touch(nameOf(item.RangeVar), "SHARE UPDATE EXCLUSIVE");
    },
    replay: defines,
    apply(statement, schema) {
      const { defnames, relations = [] } = statement;
      const [table] = relations.flatMap((item) => ("RangeVar" in item ? [keyOf(nameOf(item.RangeVar))] : []));
      if (!defnames || table === undefined) return;
      const columns = [...columnsMentioned(statement), ...(statement.exprs ?? []).flatMap(statisticsColumn)];
      schema.definitions?.set(statisticsOf(nameOfParts(defnames)), { CreateStatsStmt: statement }, { table, columns });
    },
    undo({ defnames, if_not_exists }, { schema }) {
      const name = nameOfParts(defnames);
      const of = statisticsOf(name);
      if (!defnames) return [{ of, never: "Postgres has chosen its name, and the history doesn't show which" }];
      if (if_not_exists && schema.definitions?.has(of)) return [];
      return [{ of, sql: [`DROP STATISTICS ${nameText(name)}`], drops: true, after: true }];
    },
  },
  AlterStatsStmt: {
    opinion: "harmless",
    replay: defines,
    undo: ({ defnames }) => [{ of: statisticsOf(nameOfParts(defnames)), never: notInHistory, harmless: true }],
  },
};

function statisticsOf(name: Name) {
  return { kind: "other", key: `statistics ${nameText(name)}` } as const;
}

function statisticsColumn(item: Node): string[] {
  return "StatsElem" in item && item.StatsElem.name !== undefined ? [item.StatsElem.name] : [];
}

/** The name that Postgres chooses for an index without one, if it is free. */
function chosenName(table: string, elements: readonly Node[]): string {
  const parts = elements.map((item) => ("IndexElem" in item ? (item.IndexElem.name ?? "expr") : ""));
  return [table, ...parts, "idx"].join("_");
}

/** The columns on which an index depends: those that it covers, includes, or mentions in an expression. */
function dependsOn(statement: IndexStmt): string[] {
  const { indexParams = [], indexIncludingParams = [] } = statement;
  const named = [...indexParams, ...indexIncludingParams].flatMap((item) =>
    "IndexElem" in item ? (item.IndexElem.name ?? []) : [],
  );
  return [...new Set([...named, ...columnsMentioned(statement)])];
}

function dropIndex(statement: IndexStmt, { schema }: Before): Undo[] {
  const { relation, idxname, unique, if_not_exists, indexParams = [] } = statement;
  if (!relation) return [];
  const table = schema.table(nameOf(relation));
  const name = { ...nameOf(relation), name: idxname ?? chosenName(relation.relname ?? "", indexParams) };
  const of = { kind: "index", key: keyOf(name) } as const;
  const exists = schema.indexes.has(of.key);
  if (if_not_exists && exists) return [];
  if (
    idxname === undefined &&
    (!table?.known || exists || schema.tables.has(of.key) || Buffer.byteLength(name.name) > 63)
  )
    return [{ of, never: "Postgres has chosen its name, and the history doesn't show which" }];
  // Postgres refuses CONCURRENTLY for the index of a partitioned table.
  const how = table?.partitioned ? "" : "CONCURRENTLY ";
  return [
    {
      of,
      columns: dependsOn(statement),
      sql: [`DROP INDEX ${how}${nameText(name)}`],
      drops: true,
      // A unique index refuses rows that the older version may write.
      ...(!unique && { after: true }),
      ...(if_not_exists && { note: perhapsBefore }),
    },
  ];
}

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
      schema.definitions?.delete({ kind: "index", key: keyOf(name) });
      forgetDependents(schema, ({ kind, label }) => kind === "index" && label.startsWith(`index ${name.name} on `));
    },
    undo(name, before, { behavior }) {
      const of = { kind: "index", key: keyOf(name) } as const;
      const known = before.schema.definitions?.get(of);
      const sql = indexAgain(name, before);
      if (behavior === "DROP_CASCADE") return [{ of, never: "CASCADE: what depended on it was dropped with it" }];
      return sql ? [{ of, columns: known?.columns ?? [], sql }] : [{ of, never: notInHistory }];
    },
  },
  OBJECT_STATISTIC_EXT: {
    opinion: "harmless",
    apply: (name, schema) => schema.definitions?.delete(statisticsOf(name)),
    undo(name, { schema, write }) {
      const of = statisticsOf(name);
      const node = schema.definitions?.get(of)?.node;
      const sql = node && write(node);
      return sql === undefined ? [{ of, never: notInHistory }] : [{ of, sql: [sql] }];
    },
  },
};
