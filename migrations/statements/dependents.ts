import type { ColumnDef, Node } from "libpg-query";
import type { Dependent, Uses } from "../schema/objects";
import type { Schema } from "../schema/schema";
import { useOf, usesOf } from "../schema/uses";
import { viewColumns } from "../schema/view-columns";
import { identifier, keyOf, nameOf, nameOfParts, partsOf } from "../sql/identifier";
import { walk } from "../sql/references";

/** Enters what a statement makes, drops and renames; `schema` has what the statement did to tables already. */
export function applyDependents(node: Node, schema: Schema): void {
  const { dependents } = schema;
  const enter = (kind: Dependent["kind"], table: string, name: string, uses: Uses, column?: string) => {
    const label = kind === "view" ? `view ${shown(table)}` : `${kind} ${name} on ${shown(table)}`;
    dependents.set(`${kind} ${table} ${name}`, { kind, label, table, uses, ...(column !== undefined && { column }) });
  };
  const defined = (table: string, definition: ColumnDef) => {
    const column = definition.colname ?? "";
    for (const item of definition.constraints ?? []) {
      if (!("Constraint" in item) || !item.Constraint.raw_expr) continue;
      const { contype, raw_expr, conname } = item.Constraint;
      const kind = { CONSTR_DEFAULT: "default", CONSTR_GENERATED: "generated", CONSTR_CHECK: "check" } as const;
      const known = kind[contype as keyof typeof kind];
      if (known) enter(known, table, conname ?? column, usesOf(raw_expr, schema, table), column);
    }
  };
  if ("ViewStmt" in node && node.ViewStmt.view) {
    const made = schema.table(nameOf(node.ViewStmt.view));
    const shows = viewColumns(node.ViewStmt, schema);
    if (made && shows) made.shows = shows;
    enter("view", keyOf(nameOf(node.ViewStmt.view)), "", usesOf(node.ViewStmt.query, schema));
  } else if ("CreateTableAsStmt" in node && node.CreateTableAsStmt.objtype === "OBJECT_MATVIEW") {
    const { into, query } = node.CreateTableAsStmt;
    if (into?.rel) enter("view", keyOf(nameOf(into.rel)), "", usesOf(query, schema));
  } else if ("CreateTrigStmt" in node && node.CreateTrigStmt.relation) {
    const { relation, trigname = "", funcname, columns, whenClause } = node.CreateTrigStmt;
    const table = keyOf(nameOf(relation));
    const uses = new Set([useOf("function", keyOf(nameOfParts(funcname)))]);
    for (const column of [...partsOf(columns), ...rowColumns(whenClause)]) uses.add(useOf("column", table, column));
    enter("trigger", table, trigname, uses);
  } else if ("CreatePolicyStmt" in node && node.CreatePolicyStmt.table) {
    const { table, policy_name = "", qual, with_check } = node.CreatePolicyStmt;
    const key = keyOf(nameOf(table));
    enter("policy", key, policy_name, new Set([...usesOf(qual, schema, key), ...usesOf(with_check, schema, key)]));
  } else if ("IndexStmt" in node && node.IndexStmt.relation) {
    const table = keyOf(nameOf(node.IndexStmt.relation));
    const items = (node.IndexStmt.indexParams ?? []).map((item) =>
      "IndexElem" in item ? item.IndexElem.expr : undefined,
    );
    const uses = [...items, node.IndexStmt.whereClause].flatMap((item) => [...usesOf(item, schema, table)]);
    if (node.IndexStmt.idxname !== undefined) enter("index", table, node.IndexStmt.idxname, new Set(uses));
  } else if ("CreateStmt" in node && node.CreateStmt.relation) {
    const table = keyOf(nameOf(node.CreateStmt.relation));
    for (const item of node.CreateStmt.tableElts ?? []) if ("ColumnDef" in item) defined(table, item.ColumnDef);
  } else if ("AlterTableStmt" in node && node.AlterTableStmt.relation) {
    const table = keyOf(nameOf(node.AlterTableStmt.relation));
    for (const item of node.AlterTableStmt.cmds ?? []) {
      if (!("AlterTableCmd" in item)) continue;
      const { subtype, name = "", def, behavior } = item.AlterTableCmd;
      if (subtype === "AT_AddColumn" && def && "ColumnDef" in def) defined(table, def.ColumnDef);
      else if (subtype === "AT_ColumnDefault") {
        dependents.delete(`default ${table} ${name}`);
        if (def) enter("default", table, name, usesOf(def, schema, table), name);
      } else if (subtype === "AT_DropExpression") dependents.delete(`generated ${table} ${name}`);
      else if (subtype === "AT_DropColumn") {
        forget(schema, (each) => each.table === table && each.column === name);
        if (behavior === "DROP_CASCADE") cascade(schema, useOf("column", table, name));
      } else if (subtype === "AT_DropConstraint") dependents.delete(`check ${table} ${name}`);
    }
  } else if ("DropStmt" in node) dropped(node.DropStmt, schema);
  else if ("RenameStmt" in node) renamed(node.RenameStmt, schema);
}

/** What depends on something, each by its label; what is a part of the tables left out goes with them. */
export function dependentsOn(schema: Schema, use: string, without: ReadonlySet<string> = new Set()): Dependent[] {
  return [...schema.dependents.values()].filter(({ uses, table }) => uses.has(use) && !without.has(table));
}

function dropped(
  { removeType, objects, behavior }: Extract<Node, { DropStmt: unknown }>["DropStmt"],
  schema: Schema,
): void {
  for (const object of objects ?? []) {
    const key = keyOf(nameOfParts(object));
    const parts = partsOf(object);
    const on = "List" in object ? keyOf(nameOfParts((object.List.items ?? []).slice(0, -1))) : "";
    if (removeType === "OBJECT_TRIGGER") schema.dependents.delete(`trigger ${on} ${parts.at(-1)}`);
    else if (removeType === "OBJECT_POLICY") schema.dependents.delete(`policy ${on} ${parts.at(-1)}`);
    else if (removeType === "OBJECT_INDEX")
      forget(schema, ({ kind, label }) => kind === "index" && label.startsWith(`index ${parts.at(-1)} on `));
    else if (/TABLE|VIEW/.test(removeType ?? "")) {
      forget(schema, ({ table }) => table === key);
      if (behavior === "DROP_CASCADE") cascade(schema, useOf("table", key));
    } else if (/FUNCTION|PROCEDURE|ROUTINE/.test(removeType ?? "") && behavior === "DROP_CASCADE")
      cascade(schema, useOf("function", key));
  }
}

/** Views that go with what they depend on take along what depends on them. */
function cascade(schema: Schema, use: string): void {
  for (const { kind, table } of dependentsOn(schema, use)) {
    if (kind !== "view" || !schema.tables.has(table)) continue;
    schema.drop(table);
    forget(schema, (each) => each.table === table);
    cascade(schema, useOf("table", table));
  }
  forget(schema, ({ uses }) => uses.has(use));
}

function forget(schema: Schema, gone: (each: Dependent) => boolean): void {
  for (const [id, each] of schema.dependents) if (gone(each)) schema.dependents.delete(id);
}

function renamed(
  { renameType, relation, subname = "", newname = "", object }: Extract<Node, { RenameStmt: unknown }>["RenameStmt"],
  schema: Schema,
): void {
  const from = relation ? nameOf(relation) : nameOfParts(object);
  const [old, key] = [keyOf(from), keyOf({ ...from, name: newname })];
  if (renameType === "OBJECT_COLUMN") replace(schema, useOf("column", old, subname), useOf("column", old, newname));
  else if (renameType === "OBJECT_FUNCTION") replace(schema, useOf("function", old), useOf("function", key));
  else if (/^OBJECT_(TABLE|VIEW|MATVIEW)$/.test(renameType ?? "")) {
    replace(schema, useOf("table", old), useOf("table", key));
    for (const column of schema.tables.get(key)?.columns.keys() ?? [])
      replace(schema, useOf("column", old, column), useOf("column", key, column));
    for (const [id, each] of [...schema.dependents]) {
      if (each.table !== old) continue;
      schema.dependents.delete(id);
      const label = each.kind === "view" ? `view ${shown(key)}` : each.label.replace(/ on [^ ]+$/, ` on ${shown(key)}`);
      schema.dependents.set(id.replace(` ${old} `, ` ${key} `), { ...each, table: key, label });
    }
  }
}

function replace(schema: Schema, from: string, to: string): void {
  for (const { uses } of schema.dependents.values()) if (uses.delete(from)) uses.add(to);
}

/** Columns of NEW and OLD in a trigger's WHEN. */
function rowColumns(when: Node | undefined): string[] {
  const found: string[] = [];
  if (when)
    walk(when, (key, child) => {
      const parts = key === "ColumnRef" ? partsOf((child as { fields?: Node[] }).fields) : [];
      if (parts.length === 2 && /^(new|old)$/.test(parts[0]!)) found.push(parts[1]!);
    });
  return found;
}

function shown(key: string): string {
  return key.split(".").map(identifier).join(".");
}
