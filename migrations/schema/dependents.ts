import type { ColumnDef } from "libpg-query";
import { identifier } from "../sql/identifier";
import type { Dependent, Uses } from "./objects";
import type { Schema } from "./schema";
import { useOf, usesOf } from "./uses";

/** Enters something that Postgres keeps from losing what it depends on. @param table the key of its table, or of the view that it is */
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

/** Enters the default, the expression and the check of a column. */
export function enterColumn(schema: Schema, table: string, definition: ColumnDef): void {
  const column = definition.colname ?? "";
  for (const item of definition.constraints ?? []) {
    if (!("Constraint" in item) || !item.Constraint.raw_expr) continue;
    const { contype, raw_expr, conname } = item.Constraint;
    if (contype === "CONSTR_DEFAULT" || contype === "CONSTR_GENERATED" || contype === "CONSTR_CHECK")
      enterDependent(schema, ofColumns[contype], table, conname ?? column, usesOf(raw_expr, schema, table), column);
  }
}

/** What depends on something, each by its label; what is a part of the tables left out goes with them. */
export function dependentsOn(schema: Schema, use: string, without: ReadonlySet<string> = new Set()): Dependent[] {
  return [...schema.dependents.values()].filter(({ uses, table }) => uses.has(use) && !without.has(table));
}

/** Forgets what is gone with something: by DROP … CASCADE, views that go take along what depends on them. */
export function cascadeDependents(schema: Schema, use: string): void {
  for (const { kind, table } of dependentsOn(schema, use)) {
    if (kind !== "view" || !schema.tables.has(table)) continue;
    schema.drop(table);
    forgetDependents(schema, (each) => each.table === table);
    cascadeDependents(schema, useOf("table", table));
  }
  forgetDependents(schema, ({ uses }) => uses.has(use));
}

/** Forgets the dependents that are gone. */
export function forgetDependents(schema: Schema, gone: (each: Dependent) => boolean): void {
  for (const [id, each] of schema.dependents) if (gone(each)) schema.dependents.delete(id);
}

/** A table or view has another key: what is a part of it, and what uses it or its columns, is told by that. */
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

/** Something has another name: what uses it is told by that. */
export function replaceUse(schema: Schema, from: string, to: string): void {
  for (const { uses } of schema.dependents.values()) if (uses.delete(from)) uses.add(to);
}

function shown(key: string): string {
  return key.split(".").map(identifier).join(".");
}
