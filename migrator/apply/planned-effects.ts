import type { Node } from "libpg-query";
import { escapeIdentifier } from "pg";
import { batchDoubt } from "../../migrations/batches/batch";
import type { BadDirective } from "../../migrations/history/directives";
import type { Migration } from "../../migrations/history/history";
import type { MigrationPlan, PlannedStatement } from "../../migrations/history/plan";
import type { Effect, TableEffect } from "../../migrations/schema/effect";
import type { Expectation } from "../../migrations/schema/expectation";
import { Schema } from "../../migrations/schema/schema";
import { keyOf, type Name } from "../../migrations/sql/identifier";
import { nodeOf } from "../../migrations/sql/parse";
import { ExpectedSchema } from "../../migrations/statements/expected-schema";
import { apply, effectOf } from "../../migrations/statements/statements";
import type { Plans } from "../plans";

/** A table that exists already, with what the pending migrations do to it. */
interface TouchedTable {
  /** The table's name, quoted and with its schema. */
  readonly table: string;
  readonly effects: readonly TableEffect[];
}

/** The effects of pending migrations, as far as their text shows. */
export interface PlannedEffects {
  readonly plans: MigrationPlan[];
  readonly tables: TouchedTable[];
  /** The quoted names of all tables that are touched, including those that the pending migrations create. */
  readonly all: string[];
  /** The entries that the catalog has, or no longer has, after the pending migrations. */
  readonly promises: Expectation[];
  /** Descriptions of the statements whose effect their text doesn't show. */
  readonly unknown: string[];
  /** The directives that can't be followed. */
  readonly badDirectives: readonly (BadDirective & { readonly migration: Migration })[];
}

/** A migration with its plan and the effects of its statements. */
export interface PlannedMigration {
  readonly migration: Migration;
  readonly plan: MigrationPlan;
  /**
   * The effects of the statements, by their index. An INSERT that is written like the one before it, and every
   * statement of a file that can't be parsed, have none.
   */
  readonly effects: readonly (Effect | undefined)[];
}

/**
 * Follows pending migrations in order and collects which tables each statement touches, and how, as far as the text
 * shows.
 */
export class EffectPlanner {
  readonly #schema = new Schema();
  readonly #promises: ExpectedSchema;
  readonly #plans: MigrationPlan[] = [];
  readonly #before: ReadonlySet<string>;
  /** The tables that the pending migrations create themselves. */
  readonly #made = new Set<string>();
  readonly #all = new Set<string>();
  readonly #tables = new Map<string, TableEffect[]>();
  readonly #unknown: string[] = [];
  readonly #badDirectives: PlannedEffects["badDirectives"][number][] = [];

  /** @param applied the migrations that have built the schema so far; default: none */
  constructor(
    readonly plans: Plans,
    readonly schemaName: string,
    applied: readonly Migration[] = [],
  ) {
    this.#promises = new ExpectedSchema(schemaName);
    for (const migration of applied) this.#walk(migration, () => undefined);
    this.#before = new Set(this.#schema.tables.keys());
  }

  /**
   * Plans the next migration.
   * @returns its plan and effects; `touched` has the quoted names of the tables that it touches and that no migration
   *   added before has created or touched
   */
  add(migration: Migration): PlannedMigration & { touched: string[] } {
    const touched: string[] = [];
    const { plan, effects } = this.#walk(migration, (effect, node, statement) => {
      const bad = badBatch(statement, node, this.#schema);
      if (bad) this.#badDirectives.push({ ...bad, migration });
      this.#promises.see(node, migration.name);
      for (const table of effect.tables) {
        const key = keyOf(table.name);
        this.#all.add(quotedName(table.name, this.schemaName));
        if (this.#made.has(key)) continue;
        const known = this.#tables.get(key);
        if (known) known.push(table);
        else {
          this.#tables.set(key, [table]);
          touched.push(quotedName(table.name, this.schemaName));
        }
      }
      if (effect.unknown !== undefined) this.#unknown.push(`${migration.name}: ${effect.unknown}`);
    });
    this.#promises.end();
    for (const [key, table] of this.#schema.tables)
      if (!this.#before.has(key) && table.madeIn === migration.name) this.#made.add(key);
    this.#plans.push(plan);
    for (const bad of plan.badDirectives) this.#badDirectives.push({ ...bad, migration });
    return { migration, plan, effects, touched };
  }

  planned(): PlannedEffects {
    return {
      plans: this.#plans,
      tables: [...this.#tables]
        .filter(([key]) => !this.#made.has(key))
        .map(([, found]) => ({ table: quotedName(found[0]!.name, this.schemaName), effects: found })),
      all: [...this.#all],
      promises: this.#promises.list(),
      unknown: this.#unknown,
      badDirectives: this.#badDirectives,
    };
  }

  #walk(
    migration: Migration,
    visit: (effect: Effect, node: Node, statement: PlannedStatement) => void,
  ): Pick<PlannedMigration, "plan" | "effects"> {
    const { plan, nodes } = this.plans.withNodes(migration);
    this.#schema.utc = false;
    // Thousands of INSERTs that are written alike have the effect of the first, so the others are skipped.
    let alike: string | undefined;
    const effects: Effect[] = [];
    for (const [index, statement] of (plan.error ? [] : plan.statements).entries()) {
      const head = rowsHead(statement);
      if (head !== undefined && head === alike && !statement.directives) continue;
      alike = head;
      const node = nodes?.[index] ?? nodeOf(statement);
      const effect = effectOf(node, this.#schema);
      effects[index] = effect;
      visit(effect, node, statement);
      apply(node, this.#schema, migration.name);
    }
    return { plan, effects };
  }
}

/** Returns the effects of the pending migrations. `tables` leaves out the tables that they create themselves. */
export function plannedEffects(
  plans: Plans,
  applied: readonly Migration[],
  pending: readonly Migration[],
  schemaName: string,
): PlannedEffects {
  const planner = new EffectPlanner(plans, schemaName, applied);
  for (const migration of pending) planner.add(migration);
  return planner.planned();
}

function badBatch({ directives }: PlannedStatement, node: Node, schema: Schema): BadDirective | undefined {
  const batch = directives?.find(({ name }) => name === "batch");
  const doubt = batch && batchDoubt(node, batch.text, schema);
  if (!batch || !doubt?.certain) return undefined;
  return {
    line: batch.line,
    certain: true,
    problem: `has "-- release: batch" above a statement that ${doubt.problem}`,
  };
}

function quotedName({ schema, name }: Name, schemaName: string): string {
  return `${escapeIdentifier(schema ?? schemaName)}.${escapeIdentifier(name)}`;
}

/** Returns the part of an INSERT … VALUES before its rows; undefined for any other statement. */
function rowsHead({ kind, text }: PlannedStatement): string | undefined {
  return kind === "INSERT" ? /^[^']{1,500}?\bVALUES\b/i.exec(text.slice(0, 600))?.[0] : undefined;
}
