import { apply } from "../migrations/apply";
import type { Effect, TableEffect } from "../migrations/effect";
import type { Migration } from "../migrations/history";
import { keyOf, type Name } from "../migrations/identifier";
import { parseScript } from "../migrations/parse";
import { type MigrationPlan, planMigration } from "../migrations/plan";
import { Schema } from "../migrations/schema";
import { effectOf } from "../migrations/statement-effect";
import { quoteName } from "./history-table";

/** What the pending migrations do to a table that exists already. */
export interface TouchedTable {
  /** Quoted, with its schema. */
  readonly table: string;
  readonly effects: readonly TableEffect[];
}

export interface PlannedEffects {
  readonly plans: MigrationPlan[];
  readonly tables: TouchedTable[];
  /** All tables that are touched, those included that the pending migrations make. */
  readonly all: string[];
  /** Statements whose effect can't be told from their text. */
  readonly unknown: string[];
}

/** Of each pending statement: which tables it touches, and how. Tables that the pending migrations make themselves are left out. */
export function plannedEffects(
  applied: readonly Migration[],
  pending: readonly Migration[],
  schemaName: string,
): PlannedEffects {
  const schema = new Schema();
  const walk = (migration: Migration, visit: (effect: Effect, plan: MigrationPlan) => void) => {
    const plan = planMigration(migration);
    for (const { node } of plan.error ? [] : parseScript(migration.sql)) {
      visit(effectOf(node, schema), plan);
      apply(node, schema, migration.name);
    }
    return plan;
  };
  for (const migration of applied) walk(migration, () => undefined);
  const before = new Set(schema.tables.keys());
  const made = new Set<string>();
  const all = new Set<string>();
  const tables = new Map<string, TableEffect[]>();
  const unknown: string[] = [];
  const plans = pending.map((migration) => {
    const plan = walk(migration, (effect) => {
      for (const table of effect.tables) {
        const key = keyOf(table.name);
        all.add(quotedName(table.name, schemaName));
        if (made.has(key)) continue;
        tables.set(key, [...(tables.get(key) ?? []), table]);
      }
      if (effect.unknown !== undefined) unknown.push(`${migration.name}: ${effect.unknown}`);
    });
    for (const [key, table] of schema.tables) if (!before.has(key) && table.madeIn === migration.name) made.add(key);
    return plan;
  });
  return {
    plans,
    tables: [...tables]
      .filter(([key]) => !made.has(key))
      .map(([, effects]) => ({ table: quotedName(effects[0]!.name, schemaName), effects })),
    all: [...all],
    unknown,
  };
}

function quotedName({ schema, name }: Name, schemaName: string): string {
  return `${quoteName(schema ?? schemaName)}.${quoteName(name)}`;
}
