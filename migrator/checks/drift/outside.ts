import { isToolTable } from "../outside-history";
import { type DriftObject, objectKey, type Snapshot } from "./object";

/** Two databases without what the history doesn't manage, and the keys of that. */
export interface Managed {
  readonly expected: Snapshot;
  readonly actual: Snapshot;
  readonly outside: readonly string[];
}

/**
 * Leaves out what comes and goes without the history: extensions that it doesn't make, partitions that came or went,
 * tables of other tools, and schemas that it never touches.
 * @param schema the schema of the connection string, as SQL
 * @param needed the keys of extensions that are not left out, because an object of the app needs them. Default: none.
 */
export function managedByHistory(
  expected: Snapshot,
  actual: Snapshot,
  schema: string,
  needed: ReadonlySet<string> = new Set(),
): Managed {
  const byAddress = new Map([...expected.values()].map((object) => [object.address, object]));
  const schemas = new Set([...expected.values()].map((object) => schemaOf(object, byAddress)));
  const [more, less] = [
    split(actual, (key, object, all) => {
      if (!expected.has(key) && object.kind === "extension") return !needed.has(key);
      if (!expected.has(key) && isPartition(object)) return true;
      const own = schemaOf(object, all);
      if (own !== undefined && own !== schema && !schemas.has(own)) return true;
      return object.kind === "table" && !expected.has(key) && isToolTable(unquoted(object.name));
    }),
    split(expected, (key, object) => !actual.has(key) && isPartition(object)),
  ];
  return { expected: less.managed, actual: more.managed, outside: [...more.outside, ...less.outside].sort() };
}

function isPartition({ kind, facts }: DriftObject): boolean {
  return kind === "table" && !!facts["partition of"];
}

/** Takes objects out of a snapshot with all their parts. */
export function withoutObjects(snapshot: Snapshot, isOutside: (key: string) => boolean): Snapshot {
  return split(snapshot, isOutside).managed;
}

type ByAddress = ReadonlyMap<string, DriftObject>;

/** Takes objects out of a snapshot with all their parts, and names those that are part of no other. */
function split(
  snapshot: Snapshot,
  isOutside: (key: string, object: DriftObject, all: ByAddress) => boolean,
): { managed: Snapshot; outside: string[] } {
  const all = new Map([...snapshot.values()].map((object) => [object.address, object]));
  const out = (object: DriftObject): boolean => {
    const parent = object.parent === null ? undefined : all.get(object.parent);
    return isOutside(objectKey(object), object, all) || (parent !== undefined && out(parent));
  };
  const outside = [...snapshot].filter(([, object]) => out(object));
  // A sequence that belongs to a column stands for itself in the catalog.
  const sequences = outside
    .filter(([, { kind }]) => kind === "owner of sequence")
    .map(([, { name }]) => `sequence ${name}`);
  const gone = new Set([...outside.map(([key]) => key), ...sequences]);
  return {
    managed: new Map([...snapshot].filter(([key]) => !gone.has(key))),
    outside: outside.flatMap(([key, { parent }]) => (parent === null ? [key] : [])),
  };
}

/** Returns the schema of the object that an object is a part of, as SQL; undefined: it is in none. */
function schemaOf(object: DriftObject, all: ByAddress): string | undefined {
  const parent = object.parent === null ? undefined : all.get(object.parent);
  if (parent) return schemaOf(parent, all);
  if (object.kind === "extension" || object.kind === "grant" || object.kind === "comment") return undefined;
  return /^(?:"(?:[^"]|"")+"|[^.]+)/.exec(object.on ?? object.name)?.[0];
}

function unquoted(name: string): string {
  return name.replace(/^(?:"(?:[^"]|"")+"|[^.]+)\./, "").replace(/^"(.*)"$/, "$1");
}
