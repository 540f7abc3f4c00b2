import type { Node, ObjectType } from "libpg-query";
import { identifier, keyOf, type Name, nameOfParts, partsOf } from "../sql/identifier";

/** The kinds of objects that are no part of another one. `other` has the name of its kind in its key. */
type WholeKind = "table" | "view" | "sequence" | "index" | "type" | "function" | "schema" | "extension" | "other";

/** The kinds of objects that are a part of a table. */
type PartKind = "column" | "constraint" | "trigger" | "policy" | "rule";

/** The kinds of properties: of a column, of a table (an option, or a partition's bound), of a sequence. */
type PropertyKind =
  | ("type of" | "NOT NULL of" | "default of" | "generation of")
  | ("option of" | "bound of" | "sequence option of");

/** An object of a database, or a property of one, by its name. A materialized view counts as a view. */
export interface SchemaObject {
  readonly kind: WholeKind | PartKind | PropertyKind | "comment on";
  /** The key of the object, or of the table of which it is a part. For a comment: the text of the object. */
  readonly key: string;
  /** The name of the part; the column or option of a property; the types of a function's arguments. */
  readonly part?: string;
}

/** The text by which an object is looked up. */
export function objectId({ kind, key, part }: SchemaObject): string {
  return JSON.stringify([kind, key, part]);
}

/** The object as a person names it: `column notes.colour`, `default of notes.colour`. */
export function objectText({ kind, key, part }: SchemaObject): string {
  if (kind === "other") return key;
  if (kind === "comment on") return `comment on ${key}`;
  const name = key.split(".").map(identifier).join(".");
  if (kind === "function") return `function ${name}(${part ?? ""})`;
  if (kind === "bound of") return `partition ${name}`;
  if (kind === "option of" || kind === "sequence option of") return `option ${part} of ${name}`;
  return part === undefined ? `${kind} ${name}` : `${kind} ${name}.${identifier(part)}`;
}

/** The name that a key stands for. */
export function nameOfKey(key: string): Name {
  const at = key.indexOf(".");
  return at < 0 ? { name: key } : { schema: key.slice(0, at), name: key.slice(at + 1) };
}

/** Whether the first object is dropped together with the second, because it is a part or a property of it. */
export function isPartOf(part: SchemaObject, whole: SchemaObject): boolean {
  if (part.kind === "comment on") return part.key === objectText(whole);
  if (part.key !== whole.key || part.kind === "index" || part.kind === whole.kind) return false;
  switch (whole.kind) {
    case "table":
    case "view":
      return (
        (part.part !== undefined && part.kind !== "function" && part.kind !== "sequence option of") ||
        part.kind === "bound of"
      );
    case "column":
      return part.part === whole.part && /^(type|NOT NULL|default|generation) of$/.test(part.kind);
    case "sequence":
      return part.kind === "sequence option of";
    default:
      return false;
  }
}

const wholes: Partial<Record<ObjectType, WholeKind>> = {
  OBJECT_TABLE: "table",
  OBJECT_FOREIGN_TABLE: "table",
  OBJECT_VIEW: "view",
  OBJECT_MATVIEW: "view",
  OBJECT_SEQUENCE: "sequence",
  OBJECT_INDEX: "index",
  OBJECT_TYPE: "type",
  OBJECT_DOMAIN: "type",
};

const parts: Partial<Record<ObjectType, PartKind>> = {
  OBJECT_COLUMN: "column",
  OBJECT_TABCONSTRAINT: "constraint",
  OBJECT_TRIGGER: "trigger",
  OBJECT_POLICY: "policy",
  OBJECT_RULE: "rule",
};

/**
 * The object that a DROP or COMMENT names.
 * @returns undefined for functions, which are known by their arguments too, and for kinds that have no name of one form
 */
export function objectNamed(type: ObjectType | undefined, node: Node | undefined): SchemaObject | undefined {
  if (!type || !node) return undefined;
  const written = partsOf(node);
  const last = written.at(-1) ?? "";
  if (type === "OBJECT_SCHEMA") return { kind: "schema", key: last };
  if (type === "OBJECT_EXTENSION") return { kind: "extension", key: last };
  const whole = wholes[type];
  if (whole) return { kind: whole, key: keyOf(nameOfParts(node)) };
  const part = parts[type];
  const table = written.slice(0, -1);
  if (!part || table.length === 0) return undefined;
  const schema = table.length > 1 ? { schema: table.at(-2)! } : {};
  return { kind: part, key: keyOf({ ...schema, name: table.at(-1)! }), part: last };
}
