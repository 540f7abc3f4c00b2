import type { PlannedStatement } from "../../migrations/history/plan";
import { maskSql } from "../../migrations/sql/mask-sql";

/** Statements that go to the server in one message. */
export interface Group {
  readonly statements: readonly PlannedStatement[];
  readonly text: string;
  /** Of `text` in the file. */
  readonly offset: number;
}

/** A row at a time would cost a round trip a row: statements that only write rows are sent together up to this size. */
const GROUP_CHARACTERS = 64 * 1024;
const ROWS = /^(INSERT|SELECT|COMMENT|GRANT)\b/;

/** Each statement alone, so that each can be watched and timed, except runs of small ones that only write rows. */
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

/** For a line of the log: kind, line, and what it is about. */
export function describeGroup({ statements }: Group): string {
  const [first] = statements;
  if (!first) return "the whole file";
  if (statements.length > 1) return `${statements.length} statements from line ${first.line} (${first.kind}, …)`;
  return `line ${first.line}: ${headline(first.text)}`;
}

/** The first words of a statement, without its constants. */
function headline(text: string): string {
  const line = maskSql(text.slice(0, 300));
  return line.length > 72 ? `${line.slice(0, 71)}…` : line;
}
