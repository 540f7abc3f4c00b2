import { isToolObject, isToolSchema } from "../tool-objects";
import { type DriftObject, objectKey, type Snapshot } from "./object";

/** Two databases without what the history doesn't manage, and the keys of that. */
export interface Managed {
  readonly expected: Snapshot;
  readonly actual: Snapshot;
  readonly outside: readonly string[];
}

/**
 * Leaves out what comes and goes without the history: extensions that it doesn't make, partitions that came or went, what
 * other tools make, and schemas that it never touches or that are a tool's.
 * @param schema the schema of the connection string, as SQL
 * @param needed the keys of extensions that are not left out, because an object of the app needs them. Default: none.
 * @param schemas the schemas that the history touches, as SQL. Default: those of the expected objects.
 */
export function managedByHistory(
  expected: Snapshot,
  actual: Snapshot,
  schema: string,
  needed: ReadonlySet<string> = new Set(),
  schemas: ReadonlySet<string | undefined> = schemasOf(expected),
): Managed {
  const isOthers = (object: DriftObject, all: ByAddress) => {
    const own = schemaOf(object, all);
    return own !== undefined && own !== schema && (!schemas.has(own) || isToolSchema(unquoted(own)));
  };
  const [more, less] = [
    split(actual, (key, object, all) => {
      if (!expected.has(key) && object.kind === "extension") return !needed.has(key);
      if (!expected.has(key) && isPartition(object)) return true;
      if (isOthers(object, all)) return true;
      return !expected.has(key) && isOfTool(object);
    }),
    split(expected, (key, object, all) =>
      actual.has(key) ? isOthers(object, all) : isPartition(object) || isOfTool(object) || isOthers(object, all),
    ),
  ];
  const outside = [...new Set([...more.outside, ...less.outside])].sort();
  return { expected: less.managed, actual: more.managed, outside };
}

function isOfTool({ kind, name }: DriftObject): boolean {
  return isToolObject(kind, unquoted(name));
}

function isPartition({ kind, facts }: DriftObject): boolean {
  return kind === "table" && !!facts["partition of"];
}

/** Takes objects out of a snapshot with all their parts. */
export function withoutObjects(snapshot: Snapshot, isOutside: (key: string) => boolean): Snapshot {
  return split(snapshot, isOutside).managed;
}

/** Objects by their addresses. */
export type ByAddress = ReadonlyMap<string, DriftObject>;

/** Takes objects out of a snapshot with all their parts, and names those that are part of no other. */
export function split(
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
  const parts = new Set(outside.map(([, { address }]) => address));
  const gone = new Set([...outside.map(([key]) => key), ...sequences]);
  return {
    managed: new Map([...snapshot].filter(([key]) => !gone.has(key))),
    outside: outside.flatMap(([key, { parent }]) => (parent === null || !parts.has(parent) ? [key] : [])),
  };
}

function schemasOf(objects: Snapshot): Set<string | undefined> {
  const byAddress = new Map([...objects.values()].map((object) => [object.address, object]));
  return new Set([...objects.values()].map((object) => schemaOf(object, byAddress)));
}

/** Returns the schema of the object that an object is a part of, as SQL; undefined: it is in none. */
export function schemaOf(object: DriftObject, all: ByAddress): string | undefined {
  const parent = object.parent === null ? undefined : all.get(object.parent);
  if (parent) return schemaOf(parent, all);
  if (object.kind === "extension" || object.kind === "grant" || object.kind === "comment") return undefined;
  return /^(?:"(?:[^"]|"")+"|[^.]+)/.exec(object.on ?? object.name)?.[0];
}

/** Returns the name of a table without its schema and quotes. */
export function unquoted(name: string): string {
  return name.replace(/^(?:"(?:[^"]|"")+"|[^.]+)\./, "").replace(/^"(.*)"$/, "$1");
}
