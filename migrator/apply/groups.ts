import type { PlannedStatement } from "../../migrations/history/plan";
import { maskSql } from "../../migrations/sql/mask-sql";

/** Statements that are sent to the server in one message. */
export interface Group {
  readonly statements: readonly PlannedStatement[];
  readonly text: string;
  /** The offset of `text` in the file. */
  readonly offset: number;
}

/**
 * The largest size of a group, in characters. Statements that only write rows are sent together up to this size,
 * because sending them one by one would cost a round trip each.
 */
const GROUP_CHARACTERS = 64 * 1024;
const ROWS = /^(INSERT|SELECT|COMMENT|GRANT)\b/;

/**
 * Makes a group of each statement, so that each can be watched and timed. A run of small statements that only write
 * rows becomes one group.
 */
export function* groupStatements(sql: string, statements: readonly PlannedStatement[]): Generator<Group> {
  for (let from = 0; from < statements.length; ) {
    const first = statements[from]!;
    let to = from + 1;
    const end = (index: number) => statements[index]!.offset + statements[index]!.text.length;
    if (ROWS.test(first.kind))
      while (
        to < statements.length &&
        ROWS.test(statements[to]!.kind) &&
        statements[to]!.directives === undefined &&
        end(to) - first.offset <= GROUP_CHARACTERS
      )
        to++;
    yield { statements: statements.slice(from, to), text: sql.slice(first.offset, end(to - 1)), offset: first.offset };
    from = to;
  }
}

/** Describes a group for the log: its line and the beginning of its text, or how many statements it has. */
export function describeGroup({ statements }: Group): string {
  const [first] = statements;
  if (!first) return "the whole file";
  if (statements.length > 1) return `${statements.length} statements from line ${first.line} (${first.kind}, …)`;
  return `line ${first.line}: ${headline(first.text)}`;
}

/** Returns the first words of a statement without its constants. */
function headline(text: string): string {
  const line = maskSql(text.slice(0, 300));
  return line.length > 72 ? `${line.slice(0, 71)}…` : line;
}
