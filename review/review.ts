import type { Node } from "libpg-query";
import type { Migration } from "../migrations/history/history";
import { type MigrationPlan, planMigration } from "../migrations/history/plan";
import type { Effect, TableEffect } from "../migrations/schema/effect";
import { Schema } from "../migrations/schema/schema";
import { TemporaryNames } from "../migrations/schema/temporary";
import { standIn } from "../migrations/schema/view-columns";
import { nameOf, nameOfParts } from "../migrations/sql/identifier";
import { insideDo } from "../migrations/sql/inside-do";
import { type Blocked, blockedBy, type LockMode } from "../migrations/sql/locks";
import { parseScript, ScriptError } from "../migrations/sql/parse";
import { changesWithin, namedQueries } from "../migrations/sql/references";
import type { AddedValue } from "../migrations/statements/enum-use";
import { apply, effectOf } from "../migrations/statements/statements";
import type { Sizes, TableSize } from "../text/table-size";
import type { Finding } from "./finding";
import { type Acknowledgement, type Gate, gate, type ReviewPolicy } from "./gate";
import { type LintResult, lintFindings } from "./lint";
import { judgeBlocking } from "./rules/blocking";
import { Context, type JudgedStatement, type Runner, target } from "./rules/context";
import { judgeDependents } from "./rules/dependents";
import { judgeDestroyed } from "./rules/destroyed";
import { judgeBatch, judgeDirectives } from "./rules/directives";
import { judgeDomain } from "./rules/domains";
import { judgeDroppedUniques, uniquesMade } from "./rules/dropped-uniques";
import { judgeEnumUse } from "./rules/enum-use";
import { guardsMade, judgeGuards } from "./rules/guards";
import { type Applied, judgeHistory } from "./rules/history";
import { judgeImpossible } from "./rules/impossible";
import { judgeLeftAsItIs } from "./rules/left-as-it-is";
import { judgeMoved } from "./rules/moved";
import { judgeOldPods } from "./rules/old-pods";
import { judgePartitionKeys } from "./rules/partition-keys";
import { enumExchanges, judgeExchange, judgeRenames } from "./rules/prisma";
import { judgeRefused } from "./rules/refused";
import { judgeRights } from "./rules/rights";
import { judgeSecrets } from "./rules/secrets";
import { judgeSequences, sequencesFollowing } from "./rules/sequences";
import { judgeSettings } from "./rules/settings";
import { judgeSystemTables } from "./rules/system-tables";
import { judgeWhole, type LockingStatement, lockingOf } from "./rules/whole";
import { sizeOf } from "./size";

export { loadParser } from "../migrations/sql/parse";
export { appliedUntil } from "./rules/history";

/** What a review judges, and by which policy. */
export interface ReviewInput {
  /** The whole folder: what was made long ago decides what a new statement does. */
  readonly history: readonly Migration[];
  /** What the database has. Default: nothing, a first release into an empty database. */
  readonly applied?: readonly Applied[];
  /** Sizes of tables. Default: unknown, which the review says. */
  readonly stats?: Sizes | undefined;
  /** Default: nothing is refused. */
  readonly policy?: ReviewPolicy;
  readonly acknowledgements?: readonly Acknowledgement[];
  /** Who runs the migrations. Default: this project's migrator. */
  readonly runner?: Runner;
  /** What squawk says about the pending files. Default: it wasn't asked. */
  readonly lint?: LintResult;
}

/** One table in one statement, as a DBA wants to see it. */
export interface ReviewedTable {
  readonly name: string;
  readonly lock: LockMode;
  readonly blocks: Blocked;
  readonly work: TableEffect["work"];
  /** Undefined: unknown. */
  readonly size?: TableSize;
}

/** A statement that touches what was there before this release. */
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
  /** Nothing is deployed yet: every table is new. */
  readonly first: boolean;
  /** The migrations of this release, in order. */
  readonly migrations: readonly {
    readonly name: string;
    readonly checksum: string;
    readonly contract: boolean;
    readonly statements: number;
  }[];
  /** Migrations that are deployed already. */
  readonly before: number;
  /** Worst first. */
  readonly findings: readonly Finding[];
  /** Only those that lock a table that was there, beyond what any query does, or that can't be judged. */
  readonly statements: readonly ReviewedStatement[];
  readonly policy: ReviewPolicy;
  readonly stats: { readonly recordedAt?: string } | undefined;
  /** Why squawk couldn't be asked. */
  readonly unlinted?: string;
  /** What the reviewer had to assume of the database. */
  readonly assumes?: string;
}

/** Judges what a release would do. Pure; `loadParser` must have been awaited once. */
export function reviewRelease(input: ReviewInput): Review {
  return judgeRelease(input)(input.lint);
}

/** The same, for who asks squawk meanwhile: all that needs no word of it is done when this returns. */
export function judgeRelease(input: Omit<ReviewInput, "lint">): (lint?: LintResult) => Review {
  const { history, applied = [], stats, policy = { refuse: [] }, acknowledgements = [], runner = "migrator" } = input;
  const known = new Set(applied.map(({ name }) => name));
  const release = new Set(history.map(({ name }) => name).filter((name) => !known.has(name)));
  const schema = new Schema();
  const newColumns = new Set<string>();
  const judged: { plan: MigrationPlan; findings: readonly Finding[] }[] = [];
  const statements: ReviewedStatement[] = [];
  for (const migration of history) {
    if (!release.has(migration.name)) {
      replay(migration, schema);
      continue;
    }
    const parsed: Node[] = [];
    const inserts = new PlainInserts();
    const plan = planMigration(migration, ({ node }) => parsed.push(inserts.slim(node)));
    const context = new Context(plan, schema, stats, runner, release, newColumns);
    for (const shown of judge(migration, parsed, inserts, context, newColumns)) statements.push(shown);
    judged.push({ plan, findings: context.findings });
  }
  const plans = judged.map(({ plan }) => plan);
  const contradictions = judgeHistory(history, applied, plans);
  return (lint) => {
    const messages = lint && "messages" in lint ? lint.messages : [];
    const findings = judged.flatMap(({ plan, findings: own }) => [...own, ...lintFindings(messages, plan, own)]);
    findings.push(...contradictions);
    findings.sort(
      (a, b) => rank(a) - rank(b) || (a.migration < b.migration ? -1 : a.migration > b.migration ? 1 : a.line - b.line),
    );
    return {
      ...gate(findings, policy, acknowledgements),
      first: applied.length === 0,
      migrations: plans.map((plan) => ({
        name: plan.name,
        checksum: plan.checksum,
        contract: plan.contract,
        statements: plan.statements.length,
      })),
      before: history.length - plans.length,
      findings,
      statements,
      policy,
      stats: stats && { ...(stats.recordedAt !== undefined && { recordedAt: stats.recordedAt }) },
      ...(lint && "unavailable" in lint && { unlinted: lint.unavailable }),
    };
  };
}

function rank({ severity }: Finding): number {
  return { error: 0, warning: 1, info: 2 }[severity];
}

/** What was deployed before is only followed. A file that isn't SQL ends its own part in it. */
function replay(migration: Migration, schema: Schema): void {
  try {
    for (const { node, text } of parseScript(migration.sql))
      for (const inner of "DoStmt" in node ? (insideDo(text) ?? []) : [{ node }])
        apply(inner.node, schema, migration.name);
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error;
  }
}

/** The rows of INSERT … VALUES decide nothing, and the trees of ten thousands of them don't fit into memory: one stands for all of a table. */
class PlainInserts {
  private readonly nodes = new Map<string, Node>();
  private readonly effects = new WeakMap<Node, Effect>();

  slim(node: Node): Node {
    if (!("InsertStmt" in node)) return node;
    const { relation, selectStmt, withClause } = node.InsertStmt;
    const values = selectStmt && "SelectStmt" in selectStmt && (selectStmt.SelectStmt.valuesLists ?? []).length > 0;
    if (!relation || !values || withClause) return node;
    const key = JSON.stringify([relation.schemaname, relation.relname]);
    const one = this.nodes.get(key) ?? { InsertStmt: { relation } };
    this.nodes.set(key, one);
    return one;
  }

  /** What such a statement does is the same each time. */
  effectOf(node: Node, schema: Schema): Effect {
    const known = this.effects.get(node) ?? effectOf(node, schema);
    if ("InsertStmt" in node && node.InsertStmt.selectStmt === undefined) this.effects.set(node, known);
    return known;
  }
}

function judge(
  migration: Migration,
  nodes: readonly Node[],
  inserts: PlainInserts,
  context: Context,
  newColumns: Set<string>,
): ReviewedStatement[] {
  const { plan, schema } = context;
  schema.utc = false;
  const temporary = new TemporaryNames();
  const unjudged = nodes.map((node, index) => ({
    ...plan.statements[index]!,
    node: temporary.qualify(node),
    effect: nothing,
  }));
  context.exchanges = enumExchanges(unjudged, context);
  if (plan.mode === "transaction") for (const { node } of unjudged) noteRemade(node, context);
  for (const { node } of unjudged) {
    for (const made of uniquesMade(node, context)) context.uniques.add(made);
    const shown = plan.mode === "transaction" ? standIn(node, columnsBefore(unjudged, schema)) : undefined;
    if (shown) context.standIns.push(shown);
    for (const made of guardsMade(node)) context.guardsMade.add(made);
    for (const sequence of sequencesFollowing(node)) context.sequencesFollowing.add(sequence);
    for (const column of columnsDropped(node)) context.droppedColumns.add(column);
  }
  const reviewed: ReviewedStatement[] = [];
  const locking: LockingStatement[] = [];
  const added = new Map<AddedValue, JudgedStatement>();
  judgeDirectives(context);
  judgeRenames(unjudged, context);
  for (const planned of unjudged) {
    const inner = "DoStmt" in planned.node ? insideDo(planned.text) : undefined;
    const written = inner?.map(({ node, text }) => ({ ...planned, node, text, inside: true })) ?? [planned];
    const parts: Part[] = written.flatMap((part) => {
      const within = changesWithin(part.node);
      if (within.length === 0) return [part];
      const queries = namedQueries(part.node);
      return [{ ...part, queries }, ...within.map((node) => ({ ...part, node, queries, inside: true }))];
    });
    for (const part of parts) {
      const effect = inserts.effectOf(part.node, schema);
      const { queries } = part;
      const seen = queries
        ? { ...effect, tables: effect.tables.filter(({ name }) => !queries.has(target(name))) }
        : effect;
      // In its own place: of ten thousands of statements, a copy of each is not little.
      const statement: JudgedStatement = Object.assign(part, { effect: seen });
      judgeStatement(statement, context);
      judgeEnumUse(statement, added, context);
      const shown = show(statement, context);
      if (shown) reviewed.push(shown);
      locking.push(lockingOf(statement, context));
      noteColumns(statement, context, newColumns);
      apply(statement.node, schema, migration.name);
    }
  }
  judgeWhole(locking, context);
  judgeSecrets(plan, context);
  if (plan.error)
    context.report({
      rule: "syntax-error",
      classes: ["failing", "unknown"],
      severity: "error",
      target: `line ${plan.error.line}`,
      what: `Postgres' parser refuses it at line ${plan.error.line}, column ${plan.error.column}: ${plan.error.message}.`,
      who: "The release stops here, unless the server is newer than the parser; the rest of the file isn't judged.",
      howLong: "always",
    });
  return reviewed;
}

const nothing: Effect = { tables: [] };

/** A statement, or one inside of it; `queries` are the names that its WITH gives to queries, which are no tables. */
interface Part extends JudgedStatement {
  readonly queries?: ReadonlySet<string>;
}

function judgeStatement(statement: JudgedStatement, context: Context): void {
  judgeDependents(statement, context);
  judgeImpossible(statement, context);
  judgePartitionKeys(statement, context);
  judgeLeftAsItIs(statement, context);
  judgeDestroyed(statement, context);
  judgeExchange(statement, context);
  judgeOldPods(statement, context);
  judgeDroppedUniques(statement, context);
  judgeMoved(statement, context);
  judgeRights(statement, context);
  judgeGuards(statement, context);
  judgeSystemTables(statement, context);
  judgeSequences(statement, context);
  judgeDomain(statement, context);
  judgeRefused(statement, context);
  judgeBlocking(statement, context);
  judgeBatch(statement, context);
  judgeSettings(statement, context);
  if (statement.effect.unknown !== undefined)
    context.report(
      {
        rule: "not-judged",
        classes: ["unknown"],
        severity: "warning",
        target: `line ${statement.line}`,
        what: `It can't be judged from its text: ${statement.effect.unknown}.`,
        who: "Whoever reviews it: read it.",
        howLong: "not known",
      },
      statement,
    );
}

function show(statement: JudgedStatement, context: Context): ReviewedStatement | undefined {
  const { effect, index, line, kind, text } = statement;
  const tables = effect.tables
    .filter(
      ({ name, lock, work }) =>
        !context.isNew(name) && (work !== "none" || lock === "SHARE UPDATE EXCLUSIVE" || blockedBy(lock) !== "nothing"),
    )
    .map(({ name, lock, work }) => {
      const size = sizeOf(name, context.sizes);
      return { name: target(name), lock, blocks: blockedBy(lock), work, ...(size && { size }) };
    });
  if (tables.length === 0 && effect.unknown === undefined) return undefined;
  return {
    migration: context.plan.name,
    index,
    line,
    kind,
    text,
    tables,
    ...(effect.unknown !== undefined && { unknown: effect.unknown }),
  };
}

/** Columns of a table by the name that the migration gives it. */
function columnsBefore(statements: readonly JudgedStatement[], schema: Schema): (table: string) => string[] {
  return (table) => {
    for (const { node } of statements) {
      if ("RenameStmt" in node && node.RenameStmt.renameType === "OBJECT_TABLE" && node.RenameStmt.relation) {
        const from = nameOf(node.RenameStmt.relation);
        if (target({ ...from, name: node.RenameStmt.newname ?? "" }) === table)
          return [...(schema.table(from)?.columns.keys() ?? [])];
      }
      if ("AlterObjectSchemaStmt" in node && node.AlterObjectSchemaStmt.relation) {
        const from = nameOf(node.AlterObjectSchemaStmt.relation);
        if (target({ schema: node.AlterObjectSchemaStmt.newschema ?? "", name: from.name }) === table)
          return [...(schema.table(from)?.columns.keys() ?? [])];
      }
    }
    return [];
  };
}

/** In one transaction, nobody sees a view or function missing. */
function noteRemade(node: Node, context: Context): void {
  if ("ViewStmt" in node && node.ViewStmt.view) context.remade.add(target(nameOf(node.ViewStmt.view)));
  if ("CreateTableAsStmt" in node && node.CreateTableAsStmt.into?.rel)
    context.remade.add(target(nameOf(node.CreateTableAsStmt.into.rel)));
  if ("CreateFunctionStmt" in node) context.remade.add(target(nameOfParts(node.CreateFunctionStmt.funcname)));
}

function columnsDropped(node: Node): string[] {
  if (!("AlterTableStmt" in node) || !node.AlterTableStmt.relation) return [];
  const name = nameOf(node.AlterTableStmt.relation);
  return (node.AlterTableStmt.cmds ?? []).flatMap((item) =>
    "AlterTableCmd" in item && item.AlterTableCmd.subtype === "AT_DropColumn"
      ? [target(name, item.AlterTableCmd.name)]
      : [],
  );
}

/** Columns that are as new as the release, on tables that aren't. */
function noteColumns({ node }: JudgedStatement, context: Context, newColumns: Set<string>): void {
  if (!("AlterTableStmt" in node) || !node.AlterTableStmt.relation) return;
  const name = nameOf(node.AlterTableStmt.relation);
  for (const item of node.AlterTableStmt.cmds ?? []) {
    if (!("AlterTableCmd" in item) || item.AlterTableCmd.subtype !== "AT_AddColumn") continue;
    const { def } = item.AlterTableCmd;
    const column = def && "ColumnDef" in def ? (def.ColumnDef.colname ?? "") : "";
    if (!context.table(name)?.columns.has(column)) newColumns.add(target(name, column));
  }
}
