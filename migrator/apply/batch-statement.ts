import { scanSync } from "libpg-query";
import { escapeIdentifier } from "pg";
import { batchDoubt } from "../../migrations/batches/batch";
import { walkedTable } from "../../migrations/batches/batch-change";
import { readBatchOptions } from "../../migrations/batches/batch-options";
import type { PlannedStatement } from "../../migrations/history/plan";
import { nodeOf } from "../../migrations/sql/parse";
import { parseDuration } from "../../text/short-duration";
import { relationName } from "./verdict";

/**
 * A statement under `-- release: batch [by COLUMN] [size ROWS] [pause TIME]`, ready to run on one key range at a time.
 */
export interface BatchStatement {
  /** The quoted name of the table whose key is walked. */
  readonly table: string;
  /** The column that the directive names; undefined: the table's primary key is walked. */
  readonly column: string | undefined;
  /** The number of table rows that one transaction looks at. */
  readonly size: number;
  /** The pause between two transactions, in milliseconds. */
  readonly pause: number;
  /**
   * Returns the statement with one more condition in its WHERE. `condition` gets the key column, quoted and qualified.
   */
  restrictedTo(condition: (key: string) => string, column: string): string;
}

/** The error for a batch that can't be run. Its message completes "a statement that …". */
export class BatchProblem extends Error {}

/** The default number of table rows that one transaction looks at. */
const BATCH_SIZE = 5000;
/** The default pause between two transactions, in milliseconds. */
const BATCH_PAUSE = 50;

/** Returns the text of a statement's batch directive, or undefined if it has none. */
export function batchDirective({ directives }: PlannedStatement): string | undefined {
  return directives?.find(({ name }) => name === "batch")?.text;
}

/**
 * Reads a statement and its batch directive.
 * @param schema the schema of a table that is written without one; default: the search path decides
 * @throws BatchProblem if the text shows that running the statement in ranges of rows would not do the same as running
 *   it at once, or if the directive can't be read
 */
export function readBatch(statement: PlannedStatement, schema?: string): BatchStatement {
  const text = batchDirective(statement) ?? "";
  const node = nodeOf(statement);
  const doubt = batchDoubt(node, text);
  const walked = walkedTable(node);
  const options = readBatchOptions(text);
  if (doubt) throw new BatchProblem(doubt.problem);
  if (!walked || "problem" in options) throw new BatchProblem("can't be read");
  const name = walked.alias ? escapeIdentifier(walked.alias.aliasname ?? "") : relationName(walked);
  const { column, size = BATCH_SIZE, pause } = options;
  return {
    table: relationName({ ...(schema !== undefined && { schemaname: schema }), ...walked }),
    column,
    size,
    pause: pause === undefined ? BATCH_PAUSE : (parseDuration(pause) ?? 0),
    restrictedTo: (condition, key) => restrict(statement.text, condition(`${name}.${escapeIdentifier(key)}`)),
  };
}

const AFTER_WHERE = new Set(["RETURNING", "ORDER", "ON", "FOR"]);

/** Adds a condition to the statement's WHERE, or gives the statement a WHERE. */
function restrict(text: string, condition: string): string {
  const bytes = Buffer.from(text);
  const tokens = scanSync(text).tokens;
  let depth = 0;
  let where: { start: number; end: number } | undefined;
  let end = bytes.length;
  let from = false;
  for (const token of tokens) {
    const word = token.text.toUpperCase();
    if (token.text === "(") depth++;
    else if (token.text === ")") depth--;
    else if (depth > 0 || token.keywordKind === 0) continue;
    else if (word === "FROM") from = true;
    else if (word === "WHERE" && !where) where = token;
    // A join's ON comes before WHERE and ends nothing. Without a WHERE, only the ON of ON CONFLICT ends the clause.
    else if (AFTER_WHERE.has(word) && (where || word !== "ON" || isConflict(tokens, token))) {
      if (word === "FOR" && !from) continue;
      end = token.start;
      break;
    }
  }
  const slice = (start: number, to: number) => bytes.subarray(start, to).toString();
  if (!where) return `${slice(0, end)} WHERE ${condition} ${slice(end, bytes.length)}`;
  return `${slice(0, where.end)} (${slice(where.end, end)}\n) AND ${condition} ${slice(end, bytes.length)}`;
}

function isConflict(tokens: { start: number; text: string }[], on: { start: number }): boolean {
  const index = tokens.findIndex(({ start }) => start === on.start);
  return tokens[index + 1]?.text.toUpperCase() === "CONFLICT";
}
