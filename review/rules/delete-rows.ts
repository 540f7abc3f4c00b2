import type { Node } from "libpg-query";
import { isAlways } from "../../migrations/batches/few-rows";
import { emptiedBy } from "../../migrations/schema/truncate";
import { keyOf, type Name, nameOf } from "../../migrations/sql/identifier";
import type { Facts } from "../facts";
import { codes, named, target } from "../names";
import { defineRule } from "./rule";
import { fromSnapshot, permanent, readers } from "./words";

type TruncateStmt = Extract<Node, { TruncateStmt: unknown }>["TruncateStmt"];

const good = "-- Keep the rows, or copy them into another table first.";

/** This rule reports TRUNCATE, DELETE and MERGE that delete rows. */
export const deleteRows = defineRule({
  finds: {
    "delete-all": { classes: ["destructive"], bad: "DELETE FROM posts;", good },
    "delete-rows": { classes: ["destructive"], bad: "DELETE FROM posts WHERE title IS NULL;", good },
  },
  statement({ node }, facts) {
    if ("TruncateStmt" in node)
      return emptied(node.TruncateStmt, facts).map(({ name, cascaded }) =>
        deletes("delete-all", name, `Deletes all rows of ${named(name)}${cascaded}.`),
      );
    if ("DeleteStmt" in node && node.DeleteStmt.relation) {
      const name = nameOf(node.DeleteStmt.relation);
      if (facts.isNew(name)) return [];
      const all = isAlways(node.DeleteStmt.whereClause);
      const what = `Deletes ${all ? "all" : "the matching"} rows of ${named(name)}${cascades(name, facts)}.`;
      return [deletes(all ? "delete-all" : "delete-rows", name, what)];
    }
    if (!("MergeStmt" in node) || !node.MergeStmt.relation || !mergeDeletes(node.MergeStmt.mergeWhenClauses)) return [];
    const name = nameOf(node.MergeStmt.relation);
    if (facts.isNew(name)) return [];
    const what = `Deletes rows of ${named(name)} in a branch of MERGE${cascades(name, facts)}.`;
    return [deletes("delete-rows", name, what)];
  },
});

function deletes(rule: "delete-all" | "delete-rows", name: Name, what: string) {
  const severity = rule === "delete-all" ? ("error" as const) : ("warning" as const);
  return { rule, severity, target: target(name), what, who: readers, howLong: permanent, irreversible: fromSnapshot };
}

/** Lists the tables for which a TRUNCATE gets a finding. `cascaded` is a text for those that it reaches by CASCADE. */
function emptied(statement: TruncateStmt, facts: Facts): { name: Name; cascaded: string }[] {
  const direct = new Set(
    (statement.relations ?? []).map((item) => ("RangeVar" in item ? keyOf(nameOf(item.RangeVar)) : "")),
  );
  // A partition gets no finding of its own if the statement names its table.
  const covered = new Set(direct);
  return emptiedBy(statement, facts.schema).flatMap((name) => {
    const parent = facts.table(name)?.parent ?? "";
    if (covered.has(parent)) covered.add(keyOf(name));
    if (facts.isNew(name) || covered.has(parent)) return [];
    return [{ name, cascaded: direct.has(keyOf(name)) ? "" : ", which points to a named table, by CASCADE" }];
  });
}

function mergeDeletes(clauses: readonly Node[] | undefined): boolean {
  return (clauses ?? []).some((item) => "MergeWhenClause" in item && item.MergeWhenClause.commandType === "CMD_DELETE");
}

/** Writes which foreign keys may delete further rows or refuse the statement; "" if there are none. */
function cascades(name: Name, facts: Facts): string {
  const others = facts.schema.referencing(keyOf(name)).map((table) => target(table.name));
  return others.length > 0 ? `; foreign keys of ${codes(others)} may delete rows there, or refuse it` : "";
}
