import type { Migration } from "../migrations/history/history";
import type { TableEffect } from "../migrations/schema/effect";
import { Schema } from "../migrations/schema/schema";
import { insideDo } from "../migrations/sql/inside-do";
import { type Blocked, blockedBy, type LockMode } from "../migrations/sql/locks";
import { parseScript, ScriptError } from "../migrations/sql/parse";
import { apply } from "../migrations/statements/statements";
import type { Sizes, TableSize } from "../text/table-size";
import type { Applied } from "./applied";
import type { Facts, JudgedStatement, Runner } from "./facts";
import type { Finding } from "./finding";
import { type Acknowledgement, type Gate, gate, type ReviewPolicy } from "./gate";
import { type JudgedMigration, judgeMigration } from "./judge";
import { type LintResult, lintFindings } from "./lint";
import { Foreseen } from "./measured";
import type { MeasuredOnCopy } from "./measured-durations";
import { target } from "./names";
import { judgeHistory } from "./rules/history";
import { trialRules } from "./rules/trial";
import type { Trial } from "./trial";

export { loadParser } from "../migrations/sql/parse";
export { type Applied, appliedUntil } from "./applied";

/** The input of a review: the migrations to judge, and the policy. */
export interface ReviewInput {
  /**
   * All migrations of the folder. The applied ones are needed too, because the effect of a new statement depends on
   * them.
   */
  readonly history: readonly Migration[];
  /** The migrations that the database has. Default: none, as at a first release into an empty database. */
  readonly applied?: readonly Applied[];
  /** The sizes of the tables. Default: unknown, and the review reports that. */
  readonly stats?: Sizes | undefined;
  /** What a rehearsal of these migrations measured. Default: none did, and the durations are estimated. */
  readonly measured?: MeasuredOnCopy | undefined;
  /** The findings that the environment refuses. Default: none. */
  readonly policy?: ReviewPolicy;
  readonly acknowledgements?: readonly Acknowledgement[];
  /** The program that runs the migrations. Default: this project's migrator. */
  readonly runner?: Runner;
  /** The messages of squawk about the pending files. Default: squawk was not run. */
  readonly lint?: LintResult;
  /** The findings about the Prisma schema. Default: it was not compared with the migrations. */
  readonly schema?: readonly Finding[] | undefined;
  /** What a trial of the migrations on a real server saw. Default: they were not run. */
  readonly trial?: Trial | undefined;
}

/** The effect of one statement on one table. */
export interface ReviewedTable {
  readonly name: string;
  readonly lock: LockMode;
  readonly blocks: Blocked;
  readonly work: TableEffect["work"];
  /** The size of the table; undefined if it is unknown. */
  readonly size?: TableSize;
}

/** A statement that changes or locks a table of earlier releases, or whose effect is unknown. */
export interface ReviewedStatement {
  readonly migration: string;
  readonly index: number;
  readonly line: number;
  readonly kind: string;
  readonly text: string;
  readonly tables: readonly ReviewedTable[];
  readonly unknown?: string;
}

/** The review of a release: its migrations and statements, the findings, and which of them are refused. */
export interface Review extends Gate {
  /** Whether nothing is deployed yet, so that every table is new. */
  readonly first: boolean;
  /** The migrations of this release, in order. */
  readonly migrations: readonly {
    readonly name: string;
    readonly checksum: string;
    readonly contract: boolean;
    readonly hotfix: boolean;
    readonly statements: number;
  }[];
  /** The number of migrations that are deployed already. */
  readonly before: number;
  /** All findings, the most severe first. */
  readonly findings: readonly Finding[];
  /** The statements that lock an existing table more than an ordinary query does, or that can't be judged. */
  readonly statements: readonly ReviewedStatement[];
  readonly policy: ReviewPolicy;
  readonly stats: { readonly recordedAt?: string } | undefined;
  /** The reason why squawk could not be run. Default: it was run, or nobody asked for it. */
  readonly unlinted?: string;
  /** What a trial of the migrations on a real server saw; its findings are among the others. Default: there was none. */
  readonly trial?: Trial;
  /** The review's assumption about the database. Default: none. */
  readonly assumes?: string;
}

/** Judges what a release would do. It is pure; the caller must have awaited `loadParser` once. */
export function reviewRelease(input: ReviewInput): Review {
  return judgeRelease(input)(input.lint, input.trial);
}

/**
 * Judges what a release would do, as {@link reviewRelease} does, while squawk is still running. It does all work that
 * needs neither its messages nor the trial, and returns a function that adds those.
 */
export function judgeRelease(input: Omit<ReviewInput, "lint" | "trial">): (lint?: LintResult, trial?: Trial) => Review {
  const {
    history,
    applied = [],
    stats,
    measured,
    policy = { refuse: [] },
    runner = "migrator",
    schema: ofSchema = [],
  } = input;
  // Without the comparison, an acknowledgement of a difference is neither used nor without effect.
  const acknowledgements = (input.acknowledgements ?? []).filter(
    ({ migration }) => input.schema !== undefined || !migration.endsWith(".prisma"),
  );
  const known = new Set(applied.map(({ name }) => name));
  const release = new Set(history.map(({ name }) => name).filter((name) => !known.has(name)));
  const schema = new Schema();
  const newColumns = new Set<string>();
  const judged: JudgedMigration[] = [];
  const statements: ReviewedStatement[] = [];
  const foreseen = new Foreseen();
  const show = (statement: JudgedStatement, facts: Facts) => {
    foreseen.add(statement, facts);
    const shown = reviewed(statement, facts);
    if (shown) statements.push(shown);
  };
  for (const migration of history)
    if (release.has(migration.name))
      judged.push(judgeMigration(migration, { schema, sizes: stats, measured, runner, release, newColumns }, show));
    else replay(migration, schema);
  const plans = judged.map(({ plan }) => plan);
  const contradictions = judgeHistory(history, applied, plans);
  const checksums = new Map(plans.map(({ name, checksum }) => [name, checksum]));
  return (lint, trial) => {
    const messages = lint && "messages" in lint ? lint.messages : [];
    const findings = judged.flatMap(({ plan, findings: own }) => [...own, ...lintFindings(messages, plan, own)]);
    findings.push(...contradictions, ...ofSchema);
    findings.push(...newsOf(trial?.findings ?? [], findings));
    if (trial?.measurement) findings.push(...foreseen.compare(trial.measurement, schema, checksums));
    findings.sort(
      (a, b) => rank(a) - rank(b) || (a.migration < b.migration ? -1 : a.migration > b.migration ? 1 : a.line - b.line),
    );
    return {
      ...gate(findings, policy, heard(acknowledgements, trial)),
      first: applied.length === 0,
      migrations: plans.map((plan) => ({
        name: plan.name,
        checksum: plan.checksum,
        contract: plan.contract,
        hotfix: plan.hotfix,
        statements: plan.statements.length,
      })),
      before: history.length - plans.length,
      findings,
      statements,
      policy,
      stats: stats && { ...(stats.recordedAt !== undefined && { recordedAt: stats.recordedAt }) },
      ...(lint && "unavailable" in lint && { unlinted: lint.unavailable }),
      ...(trial && { trial }),
    };
  };
}

/** Returns the acknowledgements without those of a run's findings, if nothing was run: they are not without effect. */
function heard(acknowledgements: readonly Acknowledgement[], trial: Trial | undefined): readonly Acknowledgement[] {
  if (trial?.postgres !== undefined) return acknowledgements;
  return acknowledgements.filter(({ finding }) => !Object.hasOwn(trialRules, finding.split(" ")[0] ?? ""));
}

/** Returns the findings of a trial without those that the review has made from the text, about the same column. */
function newsOf(tried: readonly Finding[], judged: readonly Finding[]): Finding[] {
  const objectOf = ({ id, rule }: Finding) => id.slice(rule.length + 1).replace(/ #\d+$/, "");
  const known = new Set(judged.filter(({ classes }) => classes.includes("incompatible")).map(objectOf));
  return tried.filter((finding) => finding.rule !== "old-version-broken" || !known.has(objectOf(finding)));
}

function rank({ severity }: Finding): number {
  return { error: 0, warning: 1, info: 2 }[severity];
}

/**
 * Applies a deployed migration to the schema without judging it. A file that isn't valid SQL is applied up to its
 * error.
 */
function replay(migration: Migration, schema: Schema): void {
  try {
    for (const { node, text } of parseScript(migration.sql))
      for (const inner of "DoStmt" in node ? (insideDo(text) ?? []) : [{ node }])
        apply(inner.node, schema, migration.name);
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error;
  }
}

function reviewed(
  { effect, existing, index, line, kind, text }: JudgedStatement,
  facts: Facts,
): ReviewedStatement | undefined {
  const tables = existing
    .filter(({ lock, work }) => work !== "none" || lock === "SHARE UPDATE EXCLUSIVE" || blockedBy(lock) !== "nothing")
    .map(({ name, lock, work }) => {
      const size = facts.size(name);
      return { name: target(name), lock, blocks: blockedBy(lock), work, ...(size && { size }) };
    });
  if (tables.length === 0 && effect.unknown === undefined) return undefined;
  const unknown = effect.unknown !== undefined && { unknown: effect.unknown };
  return { migration: facts.plan.name, index, line, kind, text, tables, ...unknown };
}
