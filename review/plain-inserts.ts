import type { Node } from "libpg-query";
import type { Effect } from "../migrations/schema/effect";
import type { Schema } from "../migrations/schema/schema";
import { effectOf } from "../migrations/statements/statements";

/**
 * Keeps only one parse tree for all INSERT … VALUES into a table. Their rows don't matter to the review, and tens of
 * thousands of trees would not fit into memory.
 */
export class PlainInserts {
  private readonly nodes = new Map<string, Node>();
  private readonly effects = new Map<Node, Effect>();

  /** Returns the tree that represents the statement. */
  slim(node: Node): Node {
    if (!("InsertStmt" in node)) return node;
    const { relation, selectStmt, withClause } = node.InsertStmt;
    const values = selectStmt && "SelectStmt" in selectStmt && (selectStmt.SelectStmt.valuesLists ?? []).length > 0;
    if (!relation || !values || withClause) return node;
    const key = JSON.stringify([relation.schemaname, relation.relname]);
    const one = this.nodes.get(key) ?? { InsertStmt: { relation } };
    this.nodes.set(key, one);
    return one;
  }

  /** Returns the effect of a statement. It is computed only once for each kept INSERT. */
  effectOf(node: Node, schema: Schema): Effect {
    const known = this.effects.get(node) ?? effectOf(node, schema);
    if ("InsertStmt" in node && node.InsertStmt.selectStmt === undefined) this.effects.set(node, known);
    return known;
  }
}
