import type { Migration } from "../history/history";
import { applyMigration, effectsOf, emptySchema, type Kept, type StatementEffect, type Step } from "./effects";
import { type BuiltUpon, Later } from "./facts";
import { newMigrations, type RevertMigration, type RevertOptions } from "./new-migrations";
import { obstacle } from "./obstacle";
import { writeSql } from "./write-sql";

/** How a migration is taken back. */
export interface RevertPlan {
  /** The migration that is taken back. */
  readonly name: string;
  /** The new migrations, in order; empty if nothing is taken back. */
  readonly migrations: readonly RevertMigration[];
  readonly steps: readonly Step[];
  readonly kept: readonly Kept[];
  /**
   * What later migrations have built upon the objects. If there is anything, the new migrations would fail or harm it.
   */
  readonly builtUpon: readonly BuiltUpon[];
}

/**
 * Plans how a migration is taken back by new ones. It is pure; the caller must have awaited `loadParser`.
 * @param name the name of a migration of the history
 * @throws ScriptError if a migration up to it, or after it, is no SQL that can be read
 */
export function planRevert(history: readonly Migration[], name: string, options: RevertOptions): RevertPlan {
  const at = history.findIndex((each) => each.name === name);
  const schema = emptySchema();
  for (const migration of history.slice(0, at)) applyMigration(migration, schema);
  const before = [...schema.tables.keys()];
  const effects = effectsOf(history[at]!, schema, writeSql);
  const known = [...before, ...schema.tables.keys()];
  const later = new Later(
    effects.filter(isStep).map(({ undo }) => undo),
    schema,
  );
  for (const migration of history.slice(at + 1)) {
    applyMigration(migration, schema);
    later.see(migration.name, schema);
  }
  const builtUpon = later.list();
  const kept: Kept[] = [];
  const steps: Step[] = [];
  for (const effect of effects.toReversed()) {
    const never = !isStep(effect) || builtUpon.length > 0 ? undefined : obstacle(effect.undo, schema, known);
    if (isKept(effect)) kept.unshift(effect);
    else if (never !== undefined) kept.unshift({ ...effect, undo: { of: effect.undo.of, never } });
    else if (isStep(effect)) steps.push(effect);
  }
  return { name, migrations: newMigrations({ name, steps, kept }, history, options), steps, kept, builtUpon };
}

function isStep(effect: StatementEffect): effect is Step {
  return "sql" in effect.undo;
}

function isKept(effect: StatementEffect): effect is Kept {
  return "never" in effect.undo;
}
