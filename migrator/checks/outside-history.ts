import type { Catalog } from "../../migrations/schema/expectation";
import type { Difference } from "./drift";
import { isToolObject, isToolSchema } from "./tool-objects";

/**
 * Returns the object to which a difference belongs, if that object is not managed by the history; undefined if somebody
 * may have changed the schema by hand. Three kinds of objects come and go without the history: extensions that it
 * doesn't name, partitions of a table that it created, and what other tools make.
 */
export function outsideHistory(difference: Difference, expected: Catalog, actual: Catalog): string | undefined {
  const { key } = difference;
  if (key.startsWith("extension ") && difference.expected === undefined) return key;
  const tool = toolObject(difference);
  if (tool !== undefined) return tool;
  const table = tableOf(difference, [expected, actual]);
  if (table === undefined) return undefined;
  const there = actual[`table ${table}`];
  const made = expected[`table ${table}`];
  if (made === undefined && there !== undefined && isToolObject("table", nameIn(table))) return `table ${table}`;
  // A scheduled job creates partitions ahead and drops old ones, with everything on them.
  const partition = made === undefined ? there : there === undefined ? made : undefined;
  return partition !== undefined && /(^| )PARTITION (?!BY )/.test(partition) ? `partition ${table}` : undefined;
}

/**
 * Returns the table, as `schema.name`, that a key names or that its index, sequence, column or other part belongs to.
 */
export function tableOf({ key, expected, actual }: Difference, catalogs: readonly Catalog[]): string | undefined {
  const [, kind, name] = /^(table|index|sequence|column|constraint|trigger|policy) (.+)$/.exec(key) ?? [];
  if (kind === undefined || name === undefined) return undefined;
  if (kind === "table") return name;
  if (kind === "index") return unquoted(/ ON (?:ONLY )?(.+?) USING /.exec(actual ?? expected ?? "")?.[1]);
  // The sequence of a serial column is named after its table and column, both of which may contain underscores.
  if (kind === "sequence") {
    const words = /^(.+)_seq\d*$/.exec(name)?.[1]?.split("_") ?? [];
    const prefixes = words.map((_, at) => words.slice(0, words.length - at).join("_"));
    return prefixes.find((prefix) => catalogs.some((catalog) => `table ${prefix}` in catalog));
  }
  return /^(.+)\.[^.]+$/.exec(name)?.[1];
}

/** Returns the schema of a tool, or the function or trigger that a tool made, to which a difference belongs. */
function toolObject({ key, expected, actual }: Difference): string | undefined {
  const [, kind = "", schema = "", name = ""] = /^([a-z ]+) ([^.]+)(?:\.(.*))?$/s.exec(key) ?? [];
  if (isToolSchema(schema)) return `schema ${schema}`;
  const own = kind === "trigger" ? name.slice(name.indexOf(".") + 1) : name;
  const isWhole = expected === undefined || actual === undefined;
  return isWhole && kind !== "table" && isToolObject(kind, own) ? key : undefined;
}

function nameIn(table: string): string {
  return table.slice(table.indexOf(".") + 1);
}

/** Returns a name without the quotes that the catalog's functions add, as the catalog stores it. */
function unquoted(name: string | undefined): string | undefined {
  return name?.replaceAll(/"((?:[^"]|"")+)"/g, (_, inner: string) => inner.replaceAll('""', '"'));
}
