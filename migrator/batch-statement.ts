import { scanSync } from "libpg-query";
import type { PlannedStatement } from "../migrations/plan";
import { wholeSetClause } from "../migrations/whole-sets";
import { parseDuration } from "./duration";
import { nodeOf, type RangeVar, relationName } from "./left-behind";

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

export const BATCH_SIZE = 5000;
export const BATCH_PAUSE = 50;

/** The batch directive of a statement, if it has one. */
export function batchDirective({ directives }: PlannedStatement): string | undefined {
  return directives?.find(({ name }) => name === "batch")?.text;
}

/** @throws BatchProblem where a range of rows at a time would not do what the statement does */
export function readBatch(statement: PlannedStatement): BatchStatement {
  const options = readOptions(batchDirective(statement) ?? "");
  const node = nodeOf(statement);
  const change = node.UpdateStmt ?? node.DeleteStmt;
  const select = node.InsertStmt?.selectStmt?.SelectStmt;
  if (!change && !select) throw new BatchProblem("stands above something that is no UPDATE, DELETE or INSERT … SELECT");
  if ((change ?? node.InsertStmt).withClause || select?.withClause)
    throw new BatchProblem("can't cut a statement that begins with WITH");
  // What depends on all rows at once can't be had from some of them.
  const clause = select && wholeSetClause(select);
  if (clause) throw new BatchProblem(`can't cut a SELECT with ${clause}: it depends on all rows at once`);
  const walked: (RangeVar & { alias?: { aliasname: string } }) | undefined = change
    ? change.relation
    : leftmost(select.fromClause?.[0]);
  if (!walked) throw new BatchProblem("needs a plain table as the first one after FROM, whose key it can walk");
  const name = walked.alias ? `"${walked.alias.aliasname.replaceAll('"', '""')}"` : relationName(walked);
  return {
    table: relationName(walked),
    ...options,
    restrictedTo: (condition, column) => restrict(statement.text, condition(`${name}.${quote(column)}`)),
  };
}

/** Of joins that keep every row of their left side at most as often as it matches; the others make rows of their own. */
// biome-ignore lint/suspicious/noExplicitAny: see left-behind.ts
function leftmost(from: any): (RangeVar & { alias?: { aliasname: string } }) | undefined {
  const join = from?.JoinExpr;
  if (!join) return from?.RangeVar;
  return join.jointype === "JOIN_INNER" || join.jointype === "JOIN_LEFT" ? leftmost(join.larg) : undefined;
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function readOptions(text: string): Pick<BatchStatement, "column" | "size" | "pause"> {
  const words = text.split(/\s+/).filter((word) => word !== "");
  let column: string | undefined;
  let size = BATCH_SIZE;
  let pause = BATCH_PAUSE;
  for (let index = 0; index < words.length; index += 2) {
    const [word, value = ""] = words.slice(index, index + 2);
    const time = word === "pause" ? parseDuration(value === "0" ? "0s" : value) : undefined;
    if (word === "by" && value !== "") column = value.replace(/^"(.*)"$/, "$1");
    else if (word === "size" && /^[1-9]\d{0,7}$/.test(value)) size = Number(value);
    else if (time !== undefined) pause = time;
    else throw new BatchProblem(`has "${word} ${value}", and knows "by COLUMN", "size 5000" and "pause 50ms"`);
  }
  return { column, size, pause };
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
