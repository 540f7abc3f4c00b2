import type { Node } from "libpg-query";
import type { Migration } from "../history/history";
import { Definitions } from "../schema/definitions";
import { Schema } from "../schema/schema";
import { isPartOf, objectId, objectText, type SchemaObject } from "../schema/schema-object";
import { isOnTemporary, TemporaryNames } from "../schema/temporary";
import { insideDo } from "../sql/inside-do";
import { type ParsedStatement, parseScript } from "../sql/parse";
import { some } from "../sql/references";
import { apply, kindOf, undoOf } from "../statements/statements";
import type { Before, Inverse, NoInverse, Undo } from "../statements/undo";
import { movedBy } from "../statements/undo-rename";
import { exists } from "./exists";

/** An effect of a statement, and how it is taken back. */
export interface StatementEffect {
  /** The line of the statement in migration.sql, counted from 1. */
  readonly line: number;
  /** The kind of the statement: `ALTER TABLE`. */
  readonly kind: string;
  readonly undo: Undo;
}

/** One step that takes an effect back. */
export type Step = StatementEffect & { readonly undo: Inverse };

/** An effect that is not taken back. */
export type Kept = StatementEffect & { readonly undo: NoInverse };

/** Returns a schema without objects that keeps their definitions. */
export function emptySchema(): Schema {
  return new Schema(new Definitions());
}

/** Adds what a migration does to a schema. */
export function applyMigration(migration: Migration, schema: Schema): void {
  for (const { node, text } of permanent(migration))
    for (const inner of "DoStmt" in node ? (insideDo(text) ?? []) : [{ node }])
      apply(inner.node, schema, migration.name);
}

/** The statements of a migration that don't only concern temporary objects, which are gone when it is over. */
function* permanent({ sql }: Migration): Generator<ParsedStatement> {
  const temporary = new TemporaryNames();
  for (const statement of parseScript(sql)) {
    const node = temporary.qualify(statement.node);
    if (!isOnTemporary(node)) yield { ...statement, node };
  }
}

/**
 * Lists the effects of a migration that outlive it, in their order, and adds them to the schema. Left out is what goes
 * with an object that the migration itself has made: taking that back drops it.
 * @param schema the schema before the migration
 */
export function effectsOf(migration: Migration, schema: Schema, write: Before["write"]): StatementEffect[] {
  const found = new Effects(schema);
  let astray = false;
  for (const { node, line, text } of permanent(migration)) {
    astray ||= setsPath(node);
    const before = undoOf(node, { schema, write }).map((undo) => (astray && !isEmpty(node) ? uncertain(undo) : undo));
    const places = before.map(({ of }) => schema.definitions?.get(of)?.table);
    for (const inner of "DoStmt" in node ? (insideDo(text) ?? []) : [{ node }])
      apply(inner.node, schema, migration.name);
    const moved = movedBy(node);
    for (const [index, undo] of before.entries()) found.add({ line, kind: kindOf(node), undo }, places[index], moved);
    if (moved) found.move(moved.from, moved.to);
    found.forgetDropped();
  }
  return found.list();
}

/** After SET search_path a name without a schema may be in any schema. */
function uncertain({ of }: Undo): Undo {
  return { of, never: "the migration sets search_path, so the names are not certain" };
}

function isEmpty(node: Node): boolean {
  return "VariableSetStmt" in node || "SelectStmt" in node;
}

function setsPath(node: Node): boolean {
  if ("VariableSetStmt" in node) return node.VariableSetStmt.name === "search_path";
  return (
    "SelectStmt" in node &&
    some(node.SelectStmt.targetList, (each) => "A_Const" in each && each.A_Const.sval?.sval === "search_path")
  );
}

/** Collects effects, and knows which objects the migration itself has made. */
class Effects {
  readonly #all = new Set<StatementEffect>();
  /** The objects that were made, by their present names, with the effects that are only about them. */
  #fresh = new Map<string, { object: SchemaObject; effects: StatementEffect[] }>();

  constructor(readonly schema: Schema) {}

  /** @param place the table of the index, before the statement */
  add(effect: StatementEffect, place: string | undefined, moved: { from: SchemaObject } | undefined): void {
    const { undo } = effect;
    const own = moved && this.#fresh.get(objectId(moved.from));
    const whole = moved && [...this.#fresh.values()].some(({ object }) => this.#isInside(moved.from, object, place));
    if (own) own.effects.push(effect);
    else if (whole) return;
    else if (!moved && this.#goesWithFresh(undo, place ?? this.schema.definitions?.get(undo.of)?.table)) return;
    this.#all.add(effect);
    if ("sql" in undo && undo.drops) this.#fresh.set(objectId(undo.of), { object: undo.of, effects: [effect] });
  }

  #goesWithFresh({ of, columns = [], every }: Undo, place: string | undefined): boolean {
    if (this.#fresh.has(objectId(of))) return true;
    const table = place ?? of.key;
    const fresh = (column: string) => this.#fresh.has(objectId({ kind: "column", key: table, part: column }));
    if (columns.length > 0 && (every ? columns.every(fresh) : columns.some(fresh))) return true;
    return [...this.#fresh.values()].some(({ object }) => this.#isInside(of, object, place));
  }

  #isInside(of: SchemaObject, whole: SchemaObject, place: string | undefined): boolean {
    if (isPartOf(of, whole)) return true;
    if (whole.kind !== "table" && whole.kind !== "view") return false;
    if (of.kind === "index" || of.kind === "other") return place === whole.key;
    return (
      of.kind === "comment on" &&
      this.schema.definitions
        ?.list()
        .some(
          ({ object, table }) => objectText(object) === of.key && (isPartOf(object, whole) || table === whole.key),
        ) === true
    );
  }

  /** Gives the objects that the migration has made their new names. */
  move(from: SchemaObject, to: SchemaObject): void {
    const relation = from.kind === "table" || from.kind === "view";
    this.#fresh = new Map(
      [...this.#fresh.values()].map(({ object, effects }) => {
        const same = objectId(object) === objectId(from);
        const inside = relation && isPartOf(object, from);
        const moved = same ? to : inside ? { ...object, key: to.key } : object;
        return [objectId(moved), { object: moved, effects }];
      }),
    );
  }

  /** Removes the effects on objects that the migration has made and dropped again. */
  forgetDropped(): void {
    for (const [id, { object, effects }] of this.#fresh) {
      if (exists(this.schema, object)) continue;
      for (const effect of effects) this.#all.delete(effect);
      this.#fresh.delete(id);
    }
  }

  list(): StatementEffect[] {
    return [...this.#all];
  }
}
