import type { Node } from "libpg-query";
import { batchDoubt } from "../../migrations/batches/batch";
import { isAlways, namesItsRows } from "../../migrations/batches/few-rows";
import { nameOf } from "../../migrations/sql/identifier";
import { named, target } from "../names";
import { batched } from "../safe/words";
import { bandOf } from "../size";
import { isCatalog } from "./catalog-write";
import { defineRule } from "./rule";
import { severityOf } from "./waiting";

/** This rule reports a change of many rows in one transaction. */
export const manyRows = defineRule({
  finds: { "many-rows": { classes: ["blocking"], bad: "UPDATE users SET name = '' WHERE name IS NULL;" } },
  statement({ node, text, effect, directives, index }, facts) {
    // Only the migrator follows the directive; the Prisma CLI takes it for a comment.
    if (facts.runner === "migrator" && directives?.some(({ name }) => name === "batch")) return [];
    const change = changeOf(node);
    if (!change?.relation || !effect.tables.some(({ work }) => work === "rows")) return [];
    const name = nameOf(change.relation);
    // The duration of INSERT … SELECT grows with the tables that it reads.
    const copies = "InsertStmt" in node;
    const sources = copies ? effect.tables.filter(({ work }) => work === "none").map((table) => table.name) : [name];
    const source = sources.find((table) => !facts.isNew(table));
    if (!source || namesItsRows(node, facts.schema) || isCatalog(name, facts)) return [];
    const band = bandOf("rows", facts.size(source));
    if (band === "under 1 s") return [];
    const which = "whereClause" in change && !isAlways(change.whereClause) ? "the matching rows" : "all rows";
    const batches = facts.runner === "migrator" && batchDoubt(node, "", facts.schema) === undefined;
    return [
      {
        rule: "many-rows",
        severity: severityOf(band),
        target: target(name),
        what: copies
          ? `Copies ${which} in one transaction.`
          : `Changes ${which} in one transaction, and keeps each of them locked until its end.`,
        who: copies
          ? `No query on ${named(name)} blocks, but replicas fall behind and vacuum makes no progress.`
          : `Writes to the same rows of ${named(name)} block; replicas fall behind and vacuum makes no progress.`,
        howLong: facts.duration(band, source, { index }),
        ...("UpdateStmt" in node &&
          !fillsNulls(node.UpdateStmt.whereClause) && {
            irreversible: "Only a snapshot brings back the values that it overwrites.",
          }),
        ...(batches && {
          safe: {
            migrations: [batched(`${text};`, source, facts.schema)],
            note: "The migrator then changes a range of keys at a time, with a commit and a pause after each.",
          },
        }),
      },
    ];
  },
});

function changeOf(node: Node) {
  if ("UpdateStmt" in node) return node.UpdateStmt;
  if ("DeleteStmt" in node) return node.DeleteStmt;
  if ("InsertStmt" in node) return node.InsertStmt;
  return "MergeStmt" in node ? node.MergeStmt : undefined;
}

/** Returns whether the condition is `WHERE column IS NULL`, so that only NULLs are overwritten. */
function fillsNulls(where: Node | undefined): boolean {
  if (!where) return false;
  if ("BoolExpr" in where) return where.BoolExpr.boolop === "AND_EXPR" && (where.BoolExpr.args ?? []).some(fillsNulls);
  return "NullTest" in where && where.NullTest.nulltesttype === "IS_NULL";
}
