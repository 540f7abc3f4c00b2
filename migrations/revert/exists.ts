import type { Schema } from "../schema/schema";
import { objectText, type SchemaObject } from "../schema/schema-object";

/** Whether an object exists, as far as the history shows it. Of tables that it doesn't make, everything may exist. */
export function exists(schema: Schema, object: SchemaObject): boolean {
  const { kind, key, part = "" } = object;
  const table = schema.tables.get(key);
  switch (kind) {
    case "table":
    case "view":
      return table !== undefined;
    case "index":
      return schema.indexes.has(key);
    case "column":
    case "type of":
    case "NOT NULL of":
      return table !== undefined && (table.columns.has(part) || !table.known);
    case "constraint":
      return table !== undefined && (table.constraints.some(({ name }) => name === part) || !table.known);
    case "other":
      return true;
    default:
      return schema.definitions?.has(object) === true;
  }
}

/** Whether the object exists of which the given one is a part or a property; true for one that is a part of none. */
export function hasPlace(schema: Schema, { kind, key, part = "" }: SchemaObject): boolean {
  switch (kind) {
    case "type of":
    case "NOT NULL of":
    case "default of":
    case "generation of":
      return exists(schema, { kind: "column", key, part });
    case "column":
    case "constraint":
    case "trigger":
    case "policy":
    case "rule":
    case "option of":
    case "bound of":
      return schema.tables.has(key);
    case "sequence option of":
      return exists(schema, { kind: "sequence", key });
    case "comment on":
      return schema.definitions?.list().some(({ object }) => objectText(object) === key) === true;
    default:
      return true;
  }
}

/** Whether a kind is a property, which has a place and need not exist itself: a column without a default. */
export function isProperty({ kind }: SchemaObject): boolean {
  return / (of|on)$/.test(kind);
}
