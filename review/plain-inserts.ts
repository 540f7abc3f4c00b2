import type { Node } from "libpg-query";
import type { Effect } from "../migrations/schema/effect";
import type { Schema } from "../migrations/schema/schema";
import { effectOf } from "../migrations/statements/statements";

/** Keeps one tree for all INSERT … VALUES into a table: their rows decide nothing, and ten thousands of trees don't fit into memory. */
export class PlainInserts {
  private readonly nodes = new Map<string, Node>();
  private readonly effects = new Map<Node, Effect>();

  /** Gives the tree that stands for the statement. */
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

  /** Gives the effect of a statement; that of such an INSERT is the same each time. */
  effectOf(node: Node, schema: Schema): Effect {
    const known = this.effects.get(node) ?? effectOf(node, schema);
    if ("InsertStmt" in node && node.InsertStmt.selectStmt === undefined) this.effects.set(node, known);
    return known;
  }
}
