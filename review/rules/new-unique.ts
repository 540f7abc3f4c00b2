import { constraintOf } from "../../migrations/schema/definition";
import { columnType, folds } from "../../migrations/sql/column-type";
import { keyOf, type Name, nameOf } from "../../migrations/sql/identifier";
import type { Facts, JudgedStatement } from "../facts";
import { code, codes, named, target } from "../names";
import { alterations, type Command } from "../prepare/commands";
import { uniqueKey } from "../prepare/uniques";
import { type Draft, defineRule } from "./rule";
import { rollout } from "./words";

/** This rule reports columns whose values must become unique. */
export const newUnique = defineRule({
  finds: {
    "new-unique": {
      classes: ["failing", "incompatible"],
      bad: "CREATE UNIQUE INDEX CONCURRENTLY users_name_key ON users (name);",
      good: "-- First remove the duplicates, and release a version that writes none.",
    },
  },
  statement(statement, facts) {
    if (facts.plan.contract) return [];
    return [...index(statement, facts), ...alterations(statement, facts).flatMap((command) => added(command, facts))];
  },
});

function index({ node }: JudgedStatement, facts: Facts): Draft<"new-unique">[] {
  if (!("IndexStmt" in node) || !node.IndexStmt.unique || !node.IndexStmt.relation) return [];
  const columns = (node.IndexStmt.indexParams ?? []).flatMap((item) =>
    "IndexElem" in item && item.IndexElem.name !== undefined ? [item.IndexElem.name] : [],
  );
  const table = nameOf(node.IndexStmt.relation);
  // Such an index checks no row until indexes of the partitions are attached to it.
  if (node.IndexStmt.relation.inh !== true && facts.table(table)?.partitioned) return [];
  return unique(table, columns, node.IndexStmt.idxname ?? "index", facts);
}

function added({ cmd: { subtype, def }, table, column, only }: Command, facts: Facts): Draft<"new-unique">[] {
  if (subtype === "AT_AddConstraint" && def && "Constraint" in def) {
    const constraint = constraintOf(def.Constraint, table.name, facts.schema);
    if (only && facts.table(table)?.partitioned) return [];
    // The columns of a constraint USING INDEX are unique already.
    if (def.Constraint.indexname !== undefined) return [];
    const isUnique = constraint?.kind === "unique" || constraint?.kind === "primary";
    return isUnique ? unique(table, constraint.columns, constraint.name, facts) : [];
  }
  if (subtype !== "AT_AlterColumnType" || !def || !("ColumnDef" in def)) return [];
  const to = columnType(def.ColumnDef.typeName);
  if (to?.name !== "citext" || !folds(facts.table(table)?.columns.get(column)?.type, to)) return [];
  return facts.schema
    .indexesOf(keyOf(table))
    .filter((each) => each.unique && each.columns.includes(column))
    .map(({ name }) =>
      duplicates(
        target(table, name.name),
        `Makes values of ${named(table, column)} that differ only in case duplicates for index ${code(name.name)}, and fails if there are some.`,
      ),
    );
}

function unique(name: Name, columns: readonly string[], label: string, facts: Facts): Draft<"new-unique">[] {
  if (facts.isNew(name)) return [];
  if (columns.some((column) => facts.isNewColumn(name, column))) return [];
  const holds = facts.schema
    .indexesOf(keyOf(name))
    .some((each) => each.unique && each.columns.every((column) => columns.includes(column)));
  if (holds || facts.prepared.droppedUniques.has(uniqueKey(name, columns))) return [];
  const list = columns.length > 0 ? codes(columns) : "an expression";
  return [
    duplicates(target(name, label), `Makes ${list} of ${named(name)} unique, and fails if there are duplicates.`),
  ];
}

function duplicates(about: string, what: string): Draft<"new-unique"> {
  return {
    rule: "new-unique",
    severity: "warning",
    target: about,
    what,
    who: "Pods of the old version fail when they write a duplicate.",
    howLong: rollout,
  };
}
