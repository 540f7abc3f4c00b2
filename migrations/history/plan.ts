import { type ParsedStatement, parseScript, ScriptError } from "../sql/parse";
import { syntaxHint } from "../sql/syntax-hint";
import { type TransactionControl, transactionControl } from "../statements/session";
import { kindOf, refusedInTransaction, type Trace, traceOf } from "../statements/statements";
import { type BadDirective, type Directive, directivesIn, directivesInside } from "./directives";
import type { Migration } from "./history";

export { loadParser } from "../sql/parse";

/** One statement of a migration. It is plain data that can be written as JSON. */
export interface PlannedStatement {
  /** The index of the statement in its migration, counted from 0. */
  readonly index: number;
  /** The kind of statement: `CREATE INDEX CONCURRENTLY`. */
  readonly kind: string;
  /** The exact text, without its semicolon and without the comments before it. */
  readonly text: string;
  /** The offset of `text` in migration.sql, in UTF-16 units (a byte order mark counts as one). */
  readonly offset: number;
  /** The line of `offset` in migration.sql, counted from 1. */
  readonly line: number;
  /** False when Postgres refuses the statement inside a transaction. */
  readonly canRunInTransaction: boolean;
  /** The name of the rule by which Postgres refuses it; undefined if it doesn't. */
  readonly outsideTransaction?: string;
  /** The kind of transaction control, for statements such as BEGIN and COMMIT that are written in the file. */
  readonly control?: TransactionControl;
  /** The directives in the comments directly above the statement. */
  readonly directives?: readonly Directive[];
}

/**
 * How the statements of a migration are run: `transaction` runs all in one transaction; `statements` runs them one by
 * one, because at least one can't run in a transaction; `own` follows the file's own BEGIN and COMMIT.
 */
type MigrationMode = "transaction" | "statements" | "own";

/** How a migration is run, and its statements. */
export interface MigrationPlan {
  readonly name: string;
  readonly checksum: string;
  readonly mode: MigrationMode;
  /** The file has `-- release: contract`: it runs in a Job of its own, after the rollout is complete and has soaked. */
  readonly contract: boolean;
  /**
   * The file has `-- release: hotfix`: where the catalog shows everything that it makes, it is recorded as applied
   * without being run.
   */
  readonly hotfix: boolean;
  readonly statements: readonly PlannedStatement[];
  /** The directives after the last statement, or those of a file without statements. */
  readonly directives: readonly Directive[];
  /** Comments that look like directives but aren't valid, as far as their text alone shows. */
  readonly badDirectives: readonly BadDirective[];
  /**
   * Set when the parser refused the file; `statements` then ends before the error. The server decides whether the file
   * is valid, because it may be newer than the parser.
   */
  readonly error?: {
    readonly message: string;
    readonly offset: number;
    readonly line: number;
    readonly column: number;
  };
}

/**
 * Makes the plan of one migration. `loadParser` must have been awaited before. The
 * function is synchronous and has no side effects.
 * @param see is called with each statement and its syntax tree, which the plan doesn't contain
 */
export function planMigration(
  migration: Pick<Migration, "name" | "sql" | "checksum">,
  see?: (statement: ParsedStatement) => void,
): MigrationPlan {
  const { name, sql, checksum } = migration;
  const statements: PlannedStatement[] = [];
  const bad: BadDirective[] = [];
  const traces = new Set<Trace>();
  let error: MigrationPlan["error"];
  try {
    for (const parsed of parseScript(sql)) {
      traces.add(traceOf(parsed.node));
      statements.push(planStatement(parsed, statements.length, bad));
      see?.(parsed);
    }
  } catch (problem) {
    if (!(problem instanceof ScriptError)) throw problem;
    const { offset, line, column } = problem;
    const hint = syntaxHint(sql, offset);
    error = { message: hint === undefined ? problem.message : `${problem.message}: ${hint}`, offset, line, column };
  }
  const last = statements.at(-1);
  const end = last ? last.offset + last.text.length : 0;
  const { directives, bad: rest } = error
    ? { directives: [], bad: [] }
    : directivesIn(sql.slice(end), countLines(sql, end) + 1, end === 0);
  const all = [...statements.flatMap((statement) => statement.directives ?? []), ...directives];
  return {
    name,
    checksum,
    mode: modeOf(statements),
    contract: all.some((directive) => directive.name === "contract"),
    hotfix: all.some((directive) => directive.name === "hotfix"),
    statements,
    directives,
    badDirectives: [
      ...[...bad, ...rest, ...misplacedBatches(statements, directives)],
      ...(error ? [] : impossibleHotfixes(all, traces)),
    ].sort((a, b) => a.line - b.line),
    ...(error && { error }),
  };
}

/** @param bad receives the invalid directives above the statement or in it */
function planStatement(parsed: ParsedStatement, index: number, bad: BadDirective[]): PlannedStatement {
  const { node, text, offset, line, before } = parsed;
  const refused = refusedInTransaction(node, text);
  const control = transactionControl(node);
  const { directives, bad: above } = directivesIn(before, line - countLines(before, before.length), index === 0);
  bad.push(...above, ...directivesInside(text, line));
  return {
    index,
    kind: kindOf(node),
    text,
    offset,
    line,
    canRunInTransaction: refused === undefined,
    ...(refused !== undefined && { outsideTransaction: refused }),
    ...(control && { control }),
    ...(directives.length > 0 && { directives }),
  };
}

/** Finds batch directives at places where no statement can follow them. */
function misplacedBatches(statements: readonly PlannedStatement[], last: readonly Directive[]): BadDirective[] {
  const found: BadDirective[] = [];
  const batches = (directives: readonly Directive[] = []) => directives.filter((each) => each.name === "batch");
  const bad = (directives: readonly Directive[], where: string) => {
    for (const { line } of directives) found.push({ line, certain: true, problem: `has "-- release: batch" ${where}` });
  };
  let open = false;
  for (const { control, directives } of statements) {
    const own = batches(directives);
    if (open) bad(own, "inside BEGIN … COMMIT, where it can't commit each range");
    else bad(own.slice(1), "twice above one statement");
    if (control !== undefined && control !== "savepoint") open = control === "begin";
  }
  bad(batches(last), "with no statement below it");
  return found;
}

/** Finds hotfix directives in a file in which they can't be followed. */
function impossibleHotfixes(all: readonly Directive[], traces: ReadonlySet<Trace>): BadDirective[] {
  const why = all.some(({ name }) => name === "contract")
    ? 'and "-- release: contract": what was done in production at once can\'t wait for a rollout'
    : traces.has("object")
      ? undefined
      : "and no statement that makes or changes an object: the catalog doesn't show whether rows were changed or a DO or CALL was run. Without the line it is run as any other migration";
  if (why === undefined) return [];
  return all
    .filter(({ name }) => name === "hotfix")
    .map(({ line }) => ({ line, certain: true, problem: `has "-- release: hotfix" ${why}` }));
}

function modeOf(statements: readonly PlannedStatement[]): MigrationMode {
  if (statements.some(({ control }) => control !== undefined && control !== "savepoint")) return "own";
  return statements.every(({ canRunInTransaction }) => canRunInTransaction) ? "transaction" : "statements";
}

function countLines(text: string, end: number): number {
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < end; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}
