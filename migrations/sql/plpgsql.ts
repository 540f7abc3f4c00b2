import { parsePlPgSQLSync } from "libpg-query";

/** A statement of a block in PL/pgSQL. */
export interface BlockStatement {
  /** The name of the statement in PL/pgSQL's own grammar, such as `execsql`, `perform` or `commit`. */
  readonly kind: string;
  /** The SQL that the statement runs; undefined where it isn't one text. */
  readonly query?: string;
}

const PREFIX = "PLpgSQL_stmt_";

/** The statements of a DO block or function in PL/pgSQL, including nested ones; undefined for another language. */
export function blockStatements(text: string): BlockStatement[] | undefined {
  let tree: unknown;
  try {
    tree = parsePlPgSQLSync(text);
  } catch {
    return undefined;
  }
  const found: BlockStatement[] = [];
  const read = (value: unknown): void => {
    if (value === null || typeof value !== "object") return;
    for (const [key, child] of Object.entries(value)) {
      if (key.startsWith(PREFIX)) {
        const query = field(field(field(child, "sqlstmt") ?? field(child, "expr"), "PLpgSQL_expr"), "query");
        found.push({ kind: key.slice(PREFIX.length), ...(typeof query === "string" && { query }) });
      }
      read(child);
    }
  };
  read(tree);
  return found;
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}
