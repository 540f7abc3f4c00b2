import type { ColumnDef } from "libpg-query";
import { identifier } from "../sql/identifier";
import type { Dependent, Uses } from "./objects";
import type { Schema } from "./schema";
import { useOf, usesOf } from "./uses";

/**
 * Records an object that depends on others. Postgres refuses to drop these without CASCADE.
 * @param table the key of the object's table, or of the view if the object is a view
 */
export function enterDependent(
  schema: Schema,
  kind: Dependent["kind"],
  table: string,
  name: string,
  uses: Uses,
  column?: string,
): void {
  const label = kind === "view" ? `view ${shown(table)}` : `${kind} ${name} on ${shown(table)}`;
  schema.dependents.set(`${kind} ${table} ${name}`, {
    kind,
    label,
    table,
    uses,
    ...(column !== undefined && { column }),
  });
}

const ofColumns = { CONSTR_DEFAULT: "default", CONSTR_GENERATED: "generated", CONSTR_CHECK: "check" } as const;

/** Records the default, the generation expression and the check of a column. */
export function enterColumn(schema: Schema, table: string, definition: ColumnDef): void {
  const column = definition.colname ?? "";
  for (const item of definition.constraints ?? []) {
    if (!("Constraint" in item) || !item.Constraint.raw_expr) continue;
    const { contype, raw_expr, conname } = item.Constraint;
    if (contype === "CONSTR_DEFAULT" || contype === "CONSTR_GENERATED" || contype === "CONSTR_CHECK")
      enterDependent(schema, ofColumns[contype], table, conname ?? column, usesOf(raw_expr, schema, table), column);
  }
}

/**
 * The objects that depend on something.
 * @param use the dependency, as `useOf` writes it
 * @param without keys of tables whose parts are left out, because they are dropped together with the table
 */
export function dependentsOn(schema: Schema, use: string, without: ReadonlySet<string> = new Set()): Dependent[] {
  return [...schema.dependents.values()].filter(({ uses, table }) => uses.has(use) && !without.has(table));
}

/** Removes what DROP … CASCADE drops: the dependents, and for each view among them also what depends on the view. */
export function cascadeDependents(schema: Schema, use: string): void {
  for (const { kind, table } of dependentsOn(schema, use)) {
    if (kind !== "view" || !schema.tables.has(table)) continue;
    schema.drop(table);
    forgetDependents(schema, (each) => each.table === table);
    cascadeDependents(schema, useOf("table", table));
  }
  forgetDependents(schema, ({ uses }) => uses.has(use));
}

/** Removes the dependents that no longer exist. */
export function forgetDependents(schema: Schema, gone: (each: Dependent) => boolean): void {
  for (const [id, each] of schema.dependents) if (gone(each)) schema.dependents.delete(id);
}

/**
 * Updates the dependents after a table or view got another key, both those that are
 * parts of it and those that use it or its columns.
 */
export function moveDependents(schema: Schema, old: string, key: string): void {
  replaceUse(schema, useOf("table", old), useOf("table", key));
  for (const column of schema.tables.get(key)?.columns.keys() ?? [])
    replaceUse(schema, useOf("column", old, column), useOf("column", key, column));
  for (const [id, each] of [...schema.dependents]) {
    if (each.table !== old) continue;
    schema.dependents.delete(id);
    const label = each.kind === "view" ? `view ${shown(key)}` : each.label.replace(/ on [^ ]+$/, ` on ${shown(key)}`);
    schema.dependents.set(id.replace(` ${old} `, ` ${key} `), { ...each, table: key, label });
  }
}

/** Replaces a use in all dependents, after the object that they use was renamed. */
export function replaceUse(schema: Schema, from: string, to: string): void {
  for (const { uses } of schema.dependents.values()) if (uses.delete(from)) uses.add(to);
}

function shown(key: string): string {
  return key.split(".").map(identifier).join(".");
}
