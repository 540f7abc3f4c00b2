import type { Node } from "libpg-query";
import { keyOf, type Name, nameOfParts, partsOf } from "../sql/identifier";
import { isPartOf, nameOfKey, objectId, objectText, type SchemaObject } from "./schema-object";

/** What the history says about an object that exists. */
export interface Definition {
  readonly object: SchemaObject;
  /** The part of a statement that defines it; undefined where it was changed since in a way that isn't followed. */
  readonly node?: Node | undefined;
  /** The key of the table to which an index belongs. */
  readonly table?: string;
  /** The columns of its table on which it depends. It is dropped together with any of them. */
  readonly columns?: readonly string[];
}

/**
 * The objects that the history has made, each with the text of its definition as a syntax tree, so that a later
 * statement can be taken back. A definition that mentions something that was renamed is given up rather than rewritten:
 * the object is then known to exist, and no longer how it is defined.
 */
export class Definitions {
  readonly #all = new Map<string, Definition>();

  get(object: SchemaObject): Definition | undefined {
    return this.#all.get(objectId(object));
  }

  has(object: SchemaObject): boolean {
    return this.#all.has(objectId(object));
  }

  /** Every object, in the order in which they were made. */
  list(): Definition[] {
    return [...this.#all.values()];
  }

  set(object: SchemaObject, node?: Node, rest: Pick<Definition, "table" | "columns"> = {}): void {
    this.#all.set(objectId(object), { object, node, ...rest });
  }

  /** Records that an object exists whose definition isn't known any more. */
  giveUp(object: SchemaObject): void {
    const known = this.get(object);
    if (known) this.#all.set(objectId(object), { ...known, node: undefined });
  }

  /** Removes an object with everything that Postgres drops together with it. */
  delete(object: SchemaObject): void {
    this.#all.delete(objectId(object));
    for (const each of this.list())
      if (this.#all.has(objectId(each.object)) && goesWith(each, object)) this.delete(each.object);
  }

  /** Gives an object another name. Its own definition is given up unless `node` is the one with the new name. */
  rename(from: SchemaObject, to: SchemaObject, node?: Node): void {
    const known = this.get(from);
    if (!known) return;
    this.#all.delete(objectId(from));
    this.#all.set(objectId(to), { ...known, object: to, node });
    this.#moveComment(from, to);
    this.mention(from.part ?? from.key, to);
  }

  /** Gives a table or view another name, together with everything that is a part of it. */
  renameRelation(from: Name, to: Name): void {
    const [old, key] = [keyOf(from), keyOf(to)];
    for (const each of this.list()) {
      const { object, table } = each;
      const ofIt =
        isPartOf(object, { kind: "table", key: old }) || (object.key === old && /^(table|view)$/.test(object.kind));
      if (object.kind === "comment on" || (!ofIt && table !== old)) continue;
      // An index is in the schema of its table.
      const moved = ofIt ? { ...object, key } : { ...object, key: keyOf({ ...to, name: nameOfKey(object.key).name }) };
      this.#all.delete(objectId(object));
      this.#all.set(objectId(moved), { ...each, object: moved, ...(table === old && { table: key }) });
      this.#moveComment(object, moved);
    }
    this.mention(from.name);
  }

  /** Gives a type another name, also in the definitions of columns. */
  renameType(from: string, to: string): void {
    const [old, name] = [nameOfKey(from), nameOfKey(to)];
    for (const { object, node, ...rest } of this.list())
      if (object.kind === "column" && node) this.set(object, withType(node, old, name), rest);
    this.rename({ kind: "type", key: from }, { kind: "type", key: to });
  }

  /** Gives up every definition in which a name occurs. */
  mention(name: string, except?: SchemaObject): void {
    for (const each of this.list())
      if (each.node && (!except || objectId(each.object) !== objectId(except)) && occurs(each.node, name))
        this.giveUp(each.object);
  }

  /** Replaces the columns' names in what is known of a table's parts. */
  renameColumn(table: string, from: string, to: string): void {
    for (const each of this.list()) {
      const { object, columns } = each;
      const own =
        object.key === table &&
        object.part === from &&
        (object.kind === "column" || isPartOf(object, { kind: "column", key: table, part: from }));
      const inside = (object.key === table || each.table === table) && columns?.includes(from);
      if (!own && !inside) continue;
      const moved = own ? { ...object, part: to } : object;
      this.#all.delete(objectId(object));
      this.#all.set(objectId(moved), {
        ...each,
        object: moved,
        ...(columns && { columns: columns.map((column) => (column === from ? to : column)) }),
      });
      if (own) this.#moveComment(object, moved);
    }
    this.mention(from);
  }

  #moveComment(from: SchemaObject, to: SchemaObject): void {
    const comment = this.get({ kind: "comment on", key: objectText(from) });
    if (!comment) return;
    this.#all.delete(objectId(comment.object));
    this.set({ kind: "comment on", key: objectText(to) }, comment.node);
  }
}

/** A column's definition in which its type has another name. */
function withType(node: Node, from: Name, to: Name): Node {
  const { typeName } = "ColumnDef" in node ? node.ColumnDef : {};
  if (!("ColumnDef" in node) || !typeName || keyOf(nameOfParts(typeName.names)) !== keyOf(from)) return node;
  const parts = [...partsOf(typeName.names).slice(0, -1), to.name];
  const names = parts.map((sval): Node => ({ String: { sval } }));
  return { ColumnDef: { ...node.ColumnDef, typeName: { ...typeName, names } } };
}

/** Whether Postgres drops the first object together with the second. */
function goesWith({ object, table, columns }: Definition, dropped: SchemaObject): boolean {
  if (isPartOf(object, dropped)) return true;
  if (dropped.kind === "table" || dropped.kind === "view") return table === dropped.key;
  const ofTable = table ?? object.key;
  return dropped.kind === "column" && ofTable === dropped.key && columns?.includes(dropped.part ?? "") === true;
}

/** Whether a name stands anywhere in a syntax tree: as a name, or as a word of a string such as a function's body. */
function occurs(tree: unknown, name: string): boolean {
  const word = new RegExp(`(?<![\\w$])${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![\\w$])`);
  const inside = (value: unknown): boolean =>
    typeof value === "string"
      ? value === name || word.test(value)
      : typeof value === "object" && value !== null && Object.values(value).some(inside);
  return inside(tree);
}
