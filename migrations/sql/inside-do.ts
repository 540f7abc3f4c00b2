import { type Node, parsePlPgSQLSync, parseSync } from "libpg-query";

export interface InnerStatement {
  readonly text: string;
  readonly node: Node;
}

/**
 * The statements that a DO block holds as they stand, whether or not a condition around them lets them run; undefined when any of
 * them is put together while it runs (EXECUTE), calls what can't be seen, or the block is in another language.
 */
export function insideDo(text: string): InnerStatement[] | undefined {
  let tree: unknown;
  try {
    tree = parsePlPgSQLSync(text);
  } catch {
    return undefined;
  }
  const found: InnerStatement[] = [];
  let seen = true;
  const walk = (value: unknown): void => {
    if (value === null || typeof value !== "object") return;
    for (const [key, child] of Object.entries(value)) {
      if (key === "PLpgSQL_stmt_dynexecute" || key === "PLpgSQL_stmt_dynfors" || key === "PLpgSQL_stmt_call")
        seen = false;
      if (key === "PLpgSQL_stmt_execsql") {
        const query = (child as { sqlstmt?: { PLpgSQL_expr?: { query?: string } } }).sqlstmt?.PLpgSQL_expr?.query;
        const nodes = query === undefined ? undefined : parsed(query);
        if (nodes) found.push(...nodes.map((node) => ({ text: query ?? "", node })));
        else seen = false;
      }
      // PERFORM f() may do anything; PERFORM 1 FROM t and the like read.
      if (key === "PLpgSQL_stmt_perform") {
        const query = (child as { expr?: { PLpgSQL_expr?: { query?: string } } }).expr?.PLpgSQL_expr?.query ?? "";
        if (JSON.stringify(parsed(query) ?? "FuncCall").includes("FuncCall")) seen = false;
      }
      walk(child);
    }
  };
  walk(tree);
  return seen ? found : undefined;
}

function parsed(query: string): Node[] | undefined {
  try {
    return (parseSync(query).stmts ?? []).flatMap(({ stmt }) => stmt ?? []);
  } catch {
    return undefined;
  }
}
