import type { Constraint, Node } from "libpg-query";
import { keyColumns } from "../../migrations/schema/partition-bounds";
import { columnNamed } from "../../migrations/sql/expression";
import { keyOf, type Name, nameOf, partsOf } from "../../migrations/sql/identifier";
import type { Facts } from "../facts";
import { codes, named, target } from "../names";
import { defineRule } from "./rule";
import { always, stops } from "./words";

/** A unique key or an exclusion constraint of a table, with its columns that are compared for equality. */
interface Key {
  readonly columns: readonly string[];
  readonly name?: string | undefined;
}

/** A partitioned table. `by` is its partition key; undefined if an expression is part of that key. */
interface Partitioned {
  readonly name: Name;
  readonly by: readonly string[] | undefined;
}

/** The parser's bit for INCLUDING INDEXES, which INCLUDING ALL contains too. */
const includingIndexes = 1 << 6;

/**
 * This rule reports a unique key of a partitioned table that lacks a column of the partition key, or that is impossible
 * because an expression is part of the partition key. The source of this restriction is Postgres' DefineIndex.
 */
export const uniqueWithoutPartitionKey = defineRule({
  finds: {
    "unique-without-partition-key": {
      classes: ["failing"],
      bad: "ALTER TABLE events ADD PRIMARY KEY (id);",
      good: "ALTER TABLE events ADD PRIMARY KEY (id, at);",
    },
  },
  statement({ node }, facts) {
    return refusedKeys(node, facts).flatMap(({ table, key }) => {
      const missing = table.by?.filter((column) => !key.columns.includes(column));
      if (missing?.length === 0) return [];
      const by = missing ? codes(missing) : "an expression";
      const on = key.columns.length > 0 ? ` on ${codes(key.columns)}` : "";
      return [
        {
          rule: "unique-without-partition-key" as const,
          severity: "error" as const,
          target: target(table.name, key.name ?? (key.columns.join("_") || "key")),
          what: `Makes a unique key${on} of ${named(table.name)}, which is partitioned by ${by}: Postgres refuses a unique key without the whole partition key.`,
          who: stops,
          howLong: always,
          safe: {
            migrations: [],
            note: `${missing ? `Add ${by} to its columns, or create` : "Create"} the key on each partition, within which it then holds.`,
          },
        },
      ];
    });
  },
});

/** Lists each key that a statement makes, with each partitioned table that would get it. */
function refusedKeys(node: Node, facts: Facts): { table: Partitioned; key: Key }[] {
  const pairs = (tables: readonly Partitioned[], keys: readonly Key[]) =>
    tables.flatMap((table) => keys.map((key) => ({ table, key })));
  if ("CreateStmt" in node) {
    const { relation, partspec, inhRelations = [], if_not_exists, tableElts = [], constraints = [] } = node.CreateStmt;
    if (!relation || !partspec || (if_not_exists && facts.table(nameOf(relation)))) return [];
    const inherited = inhRelations.flatMap((parent) =>
      "RangeVar" in parent ? keysOf(nameOf(parent.RangeVar), facts) : [],
    );
    const own = [...tableElts, ...constraints].flatMap((element) => keysIn(element, facts));
    return pairs([{ name: nameOf(relation), by: keyColumns(partspec) }], [...own, ...inherited]);
  }
  if ("IndexStmt" in node && node.IndexStmt.unique && node.IndexStmt.relation) {
    const { relation, idxname, if_not_exists, indexParams = [] } = node.IndexStmt;
    const name = nameOf(relation);
    if (if_not_exists && facts.schema.indexes.has(keyOf({ ...name, name: idxname ?? "" }))) return [];
    return pairs(partitioned(name, relation.inh === true, facts), [
      { columns: indexParams.flatMap(indexedColumn), name: idxname },
    ]);
  }
  if (!("AlterTableStmt" in node) || !node.AlterTableStmt.relation) return [];
  const { relation, cmds = [] } = node.AlterTableStmt;
  return cmds.flatMap((item) => {
    const { subtype, def, missing_ok } = "AlterTableCmd" in item ? item.AlterTableCmd : {};
    if (!def) return [];
    if (subtype === "AT_AttachPartition" && "PartitionCmd" in def && def.PartitionCmd.name)
      return pairs(partitioned(nameOf(def.PartitionCmd.name), true, facts), keysOf(nameOf(relation), facts));
    if (subtype !== "AT_AddConstraint" && subtype !== "AT_AddColumn") return [];
    const there = "ColumnDef" in def && facts.table(nameOf(relation))?.columns.has(def.ColumnDef.colname ?? "");
    return missing_ok && there
      ? []
      : pairs(partitioned(nameOf(relation), relation.inh === true, facts), keysIn(def, facts));
  });
}

/**
 * Returns those tables whose partition key is known: the named one and, with `deep`, its partitions.
 */
function partitioned(name: Name, deep: boolean, facts: Facts): Partitioned[] {
  const table = facts.table(name);
  return [...(table ? [table] : []), ...(deep ? facts.schema.descendants(keyOf(name)) : [])]
    .filter((each) => each.partitioned && (each.partitionKey !== undefined || each.madeIn !== undefined))
    .map((each) => ({ name: each.name, by: each.partitionKey }));
}

/** Lists the unique keys that a table has and passes to its partitions, except those with expressions. */
function keysOf(name: Name, facts: Facts): Key[] {
  return facts.schema
    .indexesOf(keyOf(name))
    .filter(({ unique, columns }) => unique && columns.length > 0 && !columns.includes("(expression)"))
    .map((index) => ({ columns: index.columns, name: index.name.name }));
}

/** Lists the unique keys in an element of CREATE TABLE, or in a column or constraint that ALTER TABLE adds. */
function keysIn(element: Node, facts: Facts): Key[] {
  if ("ColumnDef" in element)
    return (element.ColumnDef.constraints ?? []).flatMap((each) =>
      "Constraint" in each ? constraintKey(each.Constraint, element.ColumnDef.colname) : [],
    );
  if ("Constraint" in element) return constraintKey(element.Constraint);
  const like = "TableLikeClause" in element ? element.TableLikeClause : undefined;
  return like?.relation && ((like.options ?? 0) & includingIndexes) !== 0 ? keysOf(nameOf(like.relation), facts) : [];
}

function constraintKey(constraint: Constraint, column?: string): Key[] {
  const { contype, keys, exclusions = [], conname: name } = constraint;
  if (contype === "CONSTR_EXCLUSION") return [{ columns: exclusions.flatMap(equalColumn), name }];
  // A constraint with USING INDEX lists no columns.
  if ((contype !== "CONSTR_PRIMARY" && contype !== "CONSTR_UNIQUE") || constraint.indexname !== undefined) return [];
  return [{ columns: column === undefined ? partsOf(keys) : [column], name }];
}

/** Returns the column of `EXCLUDE (column WITH =)`; none if the operator is another one. */
function equalColumn(exclusion: Node): string[] {
  const [element, operator] = "List" in exclusion ? (exclusion.List.items ?? []) : [];
  const equal = operator && "List" in operator && partsOf(operator.List.items).at(-1) === "=";
  return element && equal ? indexedColumn(element) : [];
}

/** Returns the column of an index element, with or without parentheses; none for any other expression. */
function indexedColumn(element: Node): string[] {
  if (!("IndexElem" in element)) return [];
  const column = element.IndexElem.name ?? columnNamed(element.IndexElem.expr);
  return column === undefined ? [] : [column];
}
