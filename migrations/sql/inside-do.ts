import { type Node, parseSync } from "libpg-query";
import { blockStatements } from "./plpgsql";
import { some } from "./references";

/** A statement inside of a DO block. */
export interface InnerStatement {
  readonly text: string;
  readonly node: Node;
}

/** Statements that run what is put together while they run, or what can't be seen. */
const UNSEEN = new Set(["dynexecute", "dynfors", "call"]);

/**
 * The statements that a DO block holds as they stand, whether or not a condition around them lets them run; undefined when any of
 * them is put together while it runs (EXECUTE), calls what can't be seen, or the block is in another language.
 */
export function insideDo(text: string): InnerStatement[] | undefined {
  const found: InnerStatement[] = [];
  const statements = blockStatements(text);
  for (const { kind, query = "" } of statements ?? []) {
    if (UNSEEN.has(kind)) return undefined;
    if (kind !== "execsql" && kind !== "perform") continue;
    const nodes = parsed(query);
    if (!nodes) return undefined;
    // PERFORM f() may do anything; PERFORM 1 FROM t and the like read.
    if (kind === "execsql") found.push(...nodes.map((node) => ({ text: query, node })));
    else if (some(nodes, (node) => "FuncCall" in node)) return undefined;
  }
  return statements && found;
}

function parsed(query: string): Node[] | undefined {
  try {
    return (parseSync(query).stmts ?? []).flatMap(({ stmt }) => stmt ?? []);
  } catch {
    return undefined;
  }
}
