import type { Node } from "libpg-query";
import { apply } from "../migrations/apply";
import type { Effect, TableEffect } from "../migrations/effect";
import type { Migration } from "../migrations/history";
import { keyOf, type Name } from "../migrations/identifier";
import type { MigrationPlan, PlannedStatement } from "../migrations/plan";
import { Schema } from "../migrations/schema";
import { effectOf } from "../migrations/statement-effect";
import { type Expectation, Promises } from "./expectations";
import { quoteName } from "./history-table";
import { nodeOf } from "./left-behind";
import { planOf } from "./plans";

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
  /** What the catalog has after the pending migrations. */
  readonly promises: Expectation[];
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
  const promises = new Promises(schemaName);
  const walk = (migration: Migration, visit: (effect: Effect, node: Node) => void) => {
    const plan = planOf(migration);
    // Thousands of rows written alike have the effect of the first.
    let alike: { head: string; effect: Effect } | undefined;
    for (const statement of plan.error ? [] : plan.statements) {
      const head = rowsHead(statement);
      if (head !== undefined && head === alike?.head) continue;
      const node = nodeOf(statement) as Node;
      const effect = effectOf(node, schema);
      alike = head === undefined ? undefined : { head, effect };
      visit(effect, node);
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
    const plan = walk(migration, (effect, node) => {
      promises.see(node);
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
    promises: promises.list(),
    unknown,
  };
}

function quotedName({ schema, name }: Name, schemaName: string): string {
  return `${quoteName(schema ?? schemaName)}.${quoteName(name)}`;
}

/** What an INSERT … VALUES says before its rows; undefined for any other statement. */
function rowsHead({ kind, text }: PlannedStatement): string | undefined {
  return kind === "INSERT" ? /^[^']{1,500}?\bVALUES\b/i.exec(text.slice(0, 600))?.[0] : undefined;
}
