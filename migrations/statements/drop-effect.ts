import type { Node } from "libpg-query";
import type { Schema } from "../schema/schema";
import { keyOf, type Name, nameOfParts, nameText } from "../sql/identifier";
import type { Effects } from "./effect";
import { partitionRemoved } from "./partition-effect";

/** DROP, with what hangs on the thing dropped. */
export function drop(
  statement: Extract<Node, { DropStmt: unknown }>["DropStmt"],
  schema: Schema,
  effects: Effects,
): void {
  const cascades = statement.behavior === "DROP_CASCADE";
  for (const object of statement.objects ?? []) {
    const name = nameOfParts(object);
    switch (statement.removeType) {
      case "OBJECT_TABLE":
        effects.touch(name, "ACCESS EXCLUSIVE");
        for (const { references } of schema.table(name)?.constraints ?? [])
          if (references !== undefined && references !== keyOf(name))
            effects.touch(schema.named(references), "ACCESS EXCLUSIVE");
        for (const child of schema.descendants(keyOf(name))) effects.touch(child.name, "ACCESS EXCLUSIVE");
        partitionGone(name, schema, effects);
        if (cascades) cascade(name, schema, effects);
        break;
      case "OBJECT_VIEW":
      case "OBJECT_MATVIEW":
      case "OBJECT_FOREIGN_TABLE":
        effects.touch(name, "ACCESS EXCLUSIVE");
        break;
      case "OBJECT_INDEX": {
        const index = schema.indexes.get(keyOf(name));
        const lock = statement.concurrent ? "SHARE UPDATE EXCLUSIVE" : "ACCESS EXCLUSIVE";
        if (index) effects.touch(schema.named(index.table), lock);
        else if (!statement.missing_ok)
          effects.cannotTell(`the history doesn't make the index ${nameText(name)}, so its table isn't known`);
        break;
      }
      case "OBJECT_TRIGGER":
      case "OBJECT_RULE":
      case "OBJECT_POLICY":
        effects.touch(onTable(object), "ACCESS EXCLUSIVE");
        break;
      case "OBJECT_TYPE":
      case "OBJECT_DOMAIN":
        if (cascades) for (const { table } of schema.using(keyOf(name))) effects.touch(table.name, "ACCESS EXCLUSIVE");
        break;
      case "OBJECT_SCHEMA":
        if (cascades)
          for (const table of schema.tables.values())
            if ((table.name.schema ?? "public") === name.name) {
              effects.touch(table.name, "ACCESS EXCLUSIVE");
              cascade(table.name, schema, effects);
            }
        break;
      case "OBJECT_EXTENSION":
        if (cascades) effects.cannotTell(`what depends on the extension ${name.name} isn't in the history`);
        break;
      case "OBJECT_FUNCTION":
      case "OBJECT_PROCEDURE":
      case "OBJECT_ROUTINE":
        if (cascades) effects.cannotTell("triggers, defaults and indexes may depend on the function");
        break;
    }
  }
}

function partitionGone(name: Name, schema: Schema, effects: Effects): void {
  const parent = schema.table(name)?.parent;
  if (parent === undefined) return;
  effects.touch(schema.named(parent), "ACCESS EXCLUSIVE");
  partitionRemoved(schema.named(parent), name, schema, effects);
}

function cascade(name: Name, schema: Schema, effects: Effects): void {
  for (const table of schema.referencing(keyOf(name))) effects.touch(table.name, "ACCESS EXCLUSIVE");
  for (const view of schema.viewsOf(keyOf(name))) effects.touch(view.name, "ACCESS EXCLUSIVE");
}

/** DROP TRIGGER name ON table comes as one list of parts; the table is all but the last. */
export function onTable(object: Node): Name {
  const items = "List" in object ? (object.List.items ?? []) : [];
  return nameOfParts(items.slice(0, -1));
}
