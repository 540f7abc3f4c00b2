import { isDeepStrictEqual } from "node:util";
import { type AlterTableCmd, type Node, parseSync } from "libpg-query";
import { deparseSync } from "pgsql-deparser";
import { treeText } from "../sql/expression";

/**
 * Writes a syntax tree as SQL. The result is read again and compared, so that it means exactly what the tree says.
 * @returns undefined if the writer doesn't know a part of the tree, or wrote something else
 */
export function writeSql(node: Node): string | undefined {
  const { statement, before, after } = framed(node);
  const text = written(statement);
  const start = text?.indexOf(before) ?? -1;
  if (text === undefined || start < 0 || !text.endsWith(after)) return undefined;
  return text.slice(start + before.length, text.length - after.length).trim();
}

function written(statement: Node): string | undefined {
  try {
    const text = deparseSync(statement, { pretty: false }).replace(/;\s*$/, "");
    const again = parseSync(text).stmts?.[0]?.stmt;
    return isDeepStrictEqual(plain(again), plain(statement)) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** A tree without the positions in its file, to be compared with another one. */
function plain(tree: unknown): unknown {
  return JSON.parse(treeText(tree));
}

/** A whole statement that contains a tree, and the text around it. */
interface Frame {
  readonly statement: Node;
  readonly before: string;
  readonly after: string;
}

/** Puts what is no statement by itself into one, because the parser reads whole statements only. */
function framed(node: Node): Frame {
  if (Object.keys(node).some((tag) => tag.endsWith("Stmt"))) return { statement: node, before: "", after: "" };
  const alter = (cmd: AlterTableCmd): Node => ({
    AlterTableStmt: {
      relation: { relname: "x", inh: true, relpersistence: "p" },
      cmds: [{ AlterTableCmd: { ...cmd, behavior: "DROP_RESTRICT" } }],
      objtype: "OBJECT_TABLE",
    },
  });
  if ("Constraint" in node)
    return { statement: alter({ subtype: "AT_AddConstraint", def: node }), before: "ADD ", after: "" };
  if ("DefElem" in node)
    return {
      statement: alter({ subtype: "AT_SetRelOptions", def: { List: { items: [node] } } }),
      before: "SET (",
      after: ")",
    };
  if ("PartitionBoundSpec" in node) {
    const partition = { relname: "y", inh: true, relpersistence: "p" };
    const def = { PartitionCmd: { name: partition, bound: node.PartitionBoundSpec } };
    return { statement: alter({ subtype: "AT_AttachPartition", def }), before: "ATTACH PARTITION y ", after: "" };
  }
  if ("TypeName" in node) {
    const def = { ColumnDef: { typeName: node.TypeName } };
    return { statement: alter({ subtype: "AT_AlterColumnType", name: "y", def }), before: "TYPE ", after: "" };
  }
  return { statement: alter({ subtype: "AT_ColumnDefault", name: "y", def: node }), before: "SET DEFAULT ", after: "" };
}
