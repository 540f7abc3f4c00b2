import type { Migration } from "../../../migrations/history/history";
import type { TableEffect, Work } from "../../../migrations/schema/effect";
import { Schema } from "../../../migrations/schema/schema";
import { nodeOf, parseScript, ScriptError } from "../../../migrations/sql/parse";
import { apply, effectOf } from "../../../migrations/statements/statements";
import { type DriftFinding, findings } from "./findings";
import type { IgnoredFinding } from "./ignore";
import type { Snapshot } from "./object";
import type { Managed } from "./outside";
import { type DriftPlan, type DriftStatement, planChange } from "./plan";

/** A statement with its lock, as the review knows it. Without one, nobody waits for it: the database is new. */
export type LockedStatement = DriftStatement & { readonly lock?: string };

/** The SQL of one direction. */
export interface Direction {
  readonly statements: readonly LockedStatement[];
  readonly notGenerated: DriftPlan["notGenerated"];
}

const NOTHING: Direction = { statements: [], notGenerated: [] };

/** Everything that differs between a live database and its history, and the SQL that ends it. */
export interface DriftReport {
  readonly differences: readonly DriftFinding[];
  /** The keys of what the history doesn't manage, and that is no drift. */
  readonly outside: readonly string[];
  /** What differs and is ignored. No statement changes it. */
  readonly ignored: readonly IgnoredFinding[];
  /** The SQL of a migration that brings the history to the database. */
  readonly toHistory: Direction;
  /** The SQL that brings the database back to its history. */
  readonly toDatabase: Direction;
}

/**
 * Compares the objects of a database with those of its history. The parser must be loaded.
 * @param migrations the history, by which the locks of the statements are known
 */
export function driftReport(
  { expected, actual, outside, major, ignored = [] }: Managed & { major: number; ignored?: readonly IgnoredFinding[] },
  migrations: readonly Migration[],
): DriftReport {
  const differences = findings(expected, actual);
  if (differences.length === 0) return { differences, outside, ignored, toHistory: NOTHING, toDatabase: NOTHING };
  const schema = new Schema();
  for (const { name, sql } of migrations) for (const { node } of parseScript(sql)) apply(node, schema, name);
  const locked = ({ statements, notGenerated }: DriftPlan): Direction => ({
    statements: statements.map((statement) => ({ ...statement, lock: lockOf(statement, schema) })),
    notGenerated,
  });
  return {
    differences,
    outside,
    ignored,
    // In this order the schema that the locks are looked up in is the history's, and then the database's.
    toHistory: locked(concurrentIfAlone(planChange(expected, { to: actual, major }), actual)),
    toDatabase: locked(planChange(actual, { to: expected, major })),
  };
}

/**
 * Makes an index without blocking writes if that is the whole plan, because it then is a migration of one statement. In
 * a migration with others, and for a partitioned table, Postgres refuses that.
 */
function concurrentIfAlone(plan: DriftPlan, to: Snapshot): DriftPlan {
  const [only, ...others] = plan.statements;
  const match = /^(CREATE (?:UNIQUE )?INDEX) /.exec(only?.sql ?? "");
  const parent = only && to.get(only.key)?.parent;
  const isPartitioned = [...to.values()].some(({ address, facts }) => address === parent && facts["partition by"]);
  if (!only || !match || others.length > 0 || isPartitioned) return plan;
  return { ...plan, statements: [{ ...only, sql: only.sql.replace(match[0], `${match[1]} CONCURRENTLY `) }] };
}

/** Returns the locks of a statement as text, and applies it to the schema. */
function lockOf({ sql }: DriftStatement, schema: Schema): string {
  try {
    const node = nodeOf({ text: sql });
    const { tables, unknown } = effectOf(node, schema);
    apply(node, schema, "drift");
    if (unknown !== undefined) return `unknown: ${unknown}`;
    return (
      tables
        .filter(({ lock }) => lock !== "ACCESS SHARE")
        .map(lockText)
        .join("; ") || "on no table"
    );
  } catch (error) {
    if (error instanceof ScriptError) return "unknown: this program's parser can't read the statement";
    throw error;
  }
}

const WORK: Record<Work, string> = {
  none: "",
  rows: ", changes rows",
  scan: ", reads every row",
  index: ", builds an index",
  rewrite: ", writes every row again",
};

function lockText({ name, lock, work }: TableEffect): string {
  return `${lock} on ${name.schema ?? "public"}.${name.name}${WORK[work]}`;
}

/** Returns the SQL of one direction, each statement below its object, its lock and what is lost by it. */
export function directionSql(title: string, { statements, notGenerated }: Direction): string {
  const bodies = statements.some(({ sql }) => /^CREATE (OR REPLACE )?(FUNCTION|PROCEDURE)/.test(sql));
  return [
    `-- ${title}\n`,
    ...notGenerated.map(({ key, why }) => `-- Not generated: ${oneLine(key)}: ${why}.\n`),
    ...(bodies
      ? ["-- Functions may name each other, and tables that come later.\nSET check_function_bodies = off;\n"]
      : []),
    ...statements.map(({ key, sql, lock, loses }) =>
      [
        `-- ${oneLine(key)}`,
        ...(lock === undefined ? [] : [`-- Lock: ${oneLine(lock)}`]),
        ...(loses === undefined ? [] : [`-- Destructive: deletes ${loses}`]),
        `${sql};\n`,
      ].join("\n"),
    ),
  ].join("\n");
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}
