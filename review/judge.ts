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
import type { MeasuredOnCopy } from "./measured-durations";
import { target } from "./names";
import { PlainInserts } from "./plain-inserts";
import { commandsOf } from "./prepare/commands";
import { prepare } from "./prepare/prepare";
import { rules } from "./rules";
import type { Draft } from "./rules/rule";

/** The facts by which a migration is judged, besides its own text. */
export interface Surroundings {
  readonly sizes: Sizes | undefined;
  /** What a rehearsal measured. Default: the durations are estimated. */
  readonly measured?: MeasuredOnCopy | undefined;
  readonly runner: Runner;
  /** The names of the migrations of this release. */
  readonly release: ReadonlySet<string>;
  /** The schema before the migration. The call changes it to the schema after the migration. */
  readonly schema: Schema;
  /** The columns that this release adds to existing tables. The call adds those of this migration. */
  readonly newColumns: Set<string>;
}

/** A migration with the findings of the rules. */
export interface JudgedMigration {
  readonly plan: MigrationPlan;
  readonly findings: readonly Finding[];
}

/**
 * Judges one migration by every rule, statement by statement.
 *
 * @param show A function that is called for each statement, with the schema before it.
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
    // The statement is changed in place, because copies of tens of thousands of statements would need much memory.
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

/** A statement before it is judged. `queries` are the names that its WITH gives to queries; they are not tables. */
interface Part extends JudgedStatement {
  effect: Effect;
  existing: Effect["tables"];
  fewRows: boolean;
  readonly queries?: ReadonlySet<string>;
}

/** Returns the statement, or those in its DO block, together with the data-changing queries in their WITH. */
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

/** Lists the columns that a statement adds to its table, such as `User.email`. */
function columnsAdded(node: Node, schema: Schema): string[] {
  return commandsOf(node).flatMap(({ cmd: { subtype, def }, table }) => {
    if (subtype !== "AT_AddColumn") return [];
    const column = def && "ColumnDef" in def ? (def.ColumnDef.colname ?? "") : "";
    return schema.table(table)?.columns.has(column) ? [] : [target(table, column)];
  });
}

/**
 * The proposal for a part of a statement. No SQL can be proposed for it, because the variables and conditions around it
 * decide what it does.
 */
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
      // A finding that occurs twice in a migration gets a number, so that an acknowledgement names exactly one of them.
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
