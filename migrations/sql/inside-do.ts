import { type Node, parseSync } from "libpg-query";
import { blockStatements } from "./plpgsql";
import { some } from "./references";

/** A statement inside a DO block. */
export interface InnerStatement {
  readonly text: string;
  readonly node: Node;
}

/** PL/pgSQL statements that run SQL assembled at run time, or a procedure whose code isn't visible here. */
const UNSEEN = new Set(["dynexecute", "dynfors", "call"]);

/**
 * The SQL statements that are written in a DO block, whether or not a condition around them lets them run. The result
 * is undefined when one of them is assembled at run time (EXECUTE), when one calls code that isn't visible here, or
 * when the block is in another language.
 */
export function insideDo(text: string): InnerStatement[] | undefined {
  const found: InnerStatement[] = [];
  const statements = blockStatements(text);
  for (const { kind, query = "" } of statements ?? []) {
    if (UNSEEN.has(kind)) return undefined;
    if (kind !== "execsql" && kind !== "perform") continue;
    const nodes = parsed(query);
    if (!nodes) return undefined;
    // PERFORM f() may do anything; PERFORM without a function call, as in PERFORM 1 FROM t, only reads.
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
