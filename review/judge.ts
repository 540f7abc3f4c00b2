import type { Node } from "libpg-query";
import { namesItsRows } from "../migrations/batches/few-rows";
import type { Migration } from "../migrations/history/history";
import { type MigrationPlan, planMigration } from "../migrations/history/plan";
import type { Effect } from "../migrations/schema/effect";
import type { Schema } from "../migrations/schema/schema";
import { TemporaryNames } from "../migrations/schema/temporary";
import { insideDo } from "../migrations/sql/inside-do";
import { changesWithin, namedQueries } from "../migrations/sql/references";
import { apply } from "../migrations/statements/statements";
import type { Sizes } from "../text/table-size";
import { Facts, type JudgedStatement, type Runner } from "./facts";
import type { Finding, SafeWay } from "./finding";
import { target } from "./names";
import { PlainInserts } from "./plain-inserts";
import { commandsOf } from "./prepare/commands";
import { prepare } from "./prepare/prepare";
import { rules } from "./rules";
import type { Draft } from "./rules/rule";

/** What a migration is judged by, beside its own text. */
export interface Surroundings {
  readonly sizes: Sizes | undefined;
  readonly runner: Runner;
  /** Names of the migrations of this release. */
  readonly release: ReadonlySet<string>;
  /** The schema before the migration; after the call, the one after it. */
  readonly schema: Schema;
  /** Columns that this release adds to tables that were there; the call adds the migration's own. */
  readonly newColumns: Set<string>;
}

/** A migration with what the rules find in it. */
export interface JudgedMigration {
  readonly plan: MigrationPlan;
  readonly findings: readonly Finding[];
}

/**
 * Judges one migration by every rule, statement by statement.
 * @param show is called for each statement, with the schema before it
 */
export function judgeMigration(
  migration: Migration,
  { schema, newColumns, ...rest }: Surroundings,
  show: (statement: JudgedStatement, facts: Facts) => void,
): JudgedMigration {
  const inserts = new PlainInserts();
  const nodes: Node[] = [];
  const plan = planMigration(migration, ({ node }) => nodes.push(inserts.slim(node)));
  schema.utc = false;
  const temporary = new TemporaryNames();
  const whole = nodes.map((node, index) => ({
    ...plan.statements[index]!,
    node: temporary.qualify(node),
    effect: nothing,
    existing: nothing.tables,
    fewRows: false,
  }));
  const statements = whole.flatMap(partsOf);
  const prepared = prepare(plan, whole, statements, schema);
  const facts = new Facts({ plan, schema, newColumns, ...rest }, prepared);
  const collected = new Findings(plan);
  for (const rule of rules) collected.add(rule, rule.opening?.(whole, facts));
  for (const statement of statements) {
    // In its own place: of ten thousands of statements, copies would need much memory.
    statement.effect = effectOf(statement, inserts, schema);
    statement.existing = statement.effect.tables.filter(({ name }) => !facts.isNew(name));
    statement.fewRows =
      statement.directives?.some(({ name }) => name === "batch") === true || namesItsRows(statement.node, schema);
    for (const rule of rules) collected.add(rule, rule.statement?.(statement, facts), statement);
    show(statement, facts);
    for (const column of columnsAdded(statement.node, schema)) newColumns.add(column);
    apply(statement.node, schema, migration.name);
  }
  for (const rule of rules) collected.add(rule, rule.closing?.(statements, facts));
  return { plan, findings: collected.all };
}

const nothing: Effect = { tables: [] };

/** A statement before it is judged; `queries` are the names that its WITH gives to queries, which are no tables. */
interface Part extends JudgedStatement {
  effect: Effect;
  existing: Effect["tables"];
  fewRows: boolean;
  readonly queries?: ReadonlySet<string>;
}

/** A statement, or those in its DO block, with the changes in their WITH. */
function partsOf(statement: Part): Part[] {
  const inner = "DoStmt" in statement.node ? insideDo(statement.text) : undefined;
  const written: Part[] = inner?.map(({ node, text }) => ({ ...statement, node, text, inside: true })) ?? [statement];
  return written.flatMap((part) => {
    const within = changesWithin(part.node);
    if (within.length === 0) return [part];
    const queries = namedQueries(part.node);
    return [{ ...part, queries }, ...within.map((node) => ({ ...part, node, queries, inside: true }))];
  });
}

function effectOf({ node, queries }: Part, inserts: PlainInserts, schema: Schema): Effect {
  const effect = inserts.effectOf(node, schema);
  return queries ? { ...effect, tables: effect.tables.filter(({ name }) => !queries.has(target(name))) } : effect;
}

/** Columns that a statement adds to its table: `User.email`. */
function columnsAdded(node: Node, schema: Schema): string[] {
  return commandsOf(node).flatMap(({ cmd: { subtype, def }, table }) => {
    if (subtype !== "AT_AddColumn") return [];
    const column = def && "ColumnDef" in def ? (def.ColumnDef.colname ?? "") : "";
    return schema.table(table)?.columns.has(column) ? [] : [target(table, column)];
  });
}

/** Variables and conditions around a part decide what it does: no SQL in its place can be proposed. */
const insideNote: SafeWay = {
  migrations: [],
  note: "Write it as a statement of its own: the review proposes no SQL for a part of a DO block or WITH.",
};

/** Collects the findings of one migration, each with an id of its own. */
class Findings {
  readonly all: Finding[] = [];
  private readonly ids = new Map<string, number>();

  constructor(private readonly plan: MigrationPlan) {}

  add({ finds }: (typeof rules)[number], drafts: readonly Draft[] = [], statement?: JudgedStatement): void {
    for (const { target: about, line, safe, at = statement, once, classes, ...rest } of drafts) {
      const way = at?.inside && safe && safe.migrations.length > 0 ? insideNote : safe;
      // The same thing twice in a migration gets a number, so that an acknowledgement names one of them.
      const plain = about === "" ? rest.rule : `${rest.rule} ${about}`;
      const count = (this.ids.get(plain) ?? 0) + 1;
      if (once && count > 1) continue;
      this.ids.set(plain, count);
      this.all.push({
        ...rest,
        classes: classes ?? finds[rest.rule]?.classes ?? [],
        ...(way && { safe: way }),
        id: count === 1 ? plain : `${plain} #${count}`,
        migration: this.plan.name,
        checksum: this.plan.checksum,
        ...(at && { statement: at.index }),
        line: line ?? at?.line ?? 1,
      });
    }
  }
}
