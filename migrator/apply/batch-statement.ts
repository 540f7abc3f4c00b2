import { scanSync } from "libpg-query";
import { escapeIdentifier } from "pg";
import { batchDoubt } from "../../migrations/batches/batch";
import { walkedTable } from "../../migrations/batches/batch-change";
import { readBatchOptions } from "../../migrations/batches/batch-options";
import type { PlannedStatement } from "../../migrations/history/plan";
import { nodeOf } from "../../migrations/sql/parse";
import { parseDuration } from "../../text/short-duration";
import { relationName } from "./verdict";

/** A statement under `-- release: batch [by COLUMN] [size ROWS] [pause TIME]`, ready to be run a key range at a time. */
export interface BatchStatement {
  /** The table whose key is walked, quoted. */
  readonly table: string;
  /** Column named by the directive; undefined = the table's primary key. */
  readonly column: string | undefined;
  /** Rows of the table looked at in one transaction. */
  readonly size: number;
  /** Milliseconds between two of them. */
  readonly pause: number;
  /** The statement restricted by a condition on `{key}`. */
  restrictedTo(condition: (key: string) => string, column: string): string;
}

/** What is wrong with a directive or its statement. */
export class BatchProblem extends Error {}

/** Rows of the table that one transaction looks at where the directive says nothing. */
export const BATCH_SIZE = 5000;
/** Milliseconds between two transactions where the directive says nothing. */
export const BATCH_PAUSE = 50;

/** The batch directive of a statement, if it has one. */
export function batchDirective({ directives }: PlannedStatement): string | undefined {
  return directives?.find(({ name }) => name === "batch")?.text;
}

/**
 * @param schema of a table that is written without one; default: it is left to the search path
 * @throws BatchProblem where a range of rows at a time would not do what the statement does, as far as its text tells
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

/** Puts a condition into the statement's own WHERE, or gives it one. */
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
    // A join's ON comes before WHERE; the ON of ON CONFLICT after it, or after FROM without a JOIN's.
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
