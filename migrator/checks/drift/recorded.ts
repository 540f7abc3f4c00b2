import { gunzipSync, gzipSync } from "node:zlib";
import type { Migration } from "../../../migrations/history/history";
import { identifier } from "../../../migrations/sql/identifier";
import { plannedEffects } from "../../apply/planned-effects";
import { latestRecord, recordData } from "../../records/release-records";
import type { Run } from "../../run";
import { type Compared, neededExtensions } from "./compare";
import { withoutIgnored } from "./ignore";
import { type DriftObject, objectKey, type Snapshot } from "./object";
import { type Managed, managedByHistory } from "./outside";
import { readObjects } from "./read-objects";

/** The objects of a database at the end of a release. */
interface ObjectsRecord {
  readonly last: string;
  readonly count: number;
  /** The major version of the server; another version writes the same definition in other words. */
  readonly major: number;
  /** The objects as JSON, compressed by gzip, in base64. */
  readonly objects: string;
}

/** The most that a record is unpacked to, in bytes; that are some 100,000 tables. */
const LARGEST = 512 * 1024 * 1024;

/**
 * Records the objects of the database, with the migrations that are applied; nothing if no records are kept.
 * @param objects the objects; default: those of the database now
 */
export async function recordObjects(run: Run, applied: readonly Migration[], objects?: Snapshot): Promise<void> {
  if (run.records.unavailable !== undefined) return;
  objects ??= await readObjects(run.session);
  const packed = gzipSync(JSON.stringify([...objects.values()])).toString("base64");
  const data: ObjectsRecord = { ...placeOf(run, applied), objects: packed };
  await recordData(run.records, "objects", data);
}

/**
 * Returns the objects that the last release recorded; undefined unless the same migrations are applied, on a server of the
 * same major version, and this role may read the record.
 */
export async function recordedObjects(run: Run, applied: readonly Migration[]): Promise<Snapshot | undefined> {
  const { data } = (await latestRecord<ObjectsRecord>(run.records, "objects")) ?? {};
  const { last, count, major } = placeOf(run, applied);
  if (data?.last !== last || data.count !== count || data.major !== major) return undefined;
  const text = gunzipSync(Buffer.from(data.objects, "base64"), { maxOutputLength: LARGEST }).toString();
  const objects = JSON.parse(text) as DriftObject[];
  return new Map(objects.map((object) => [objectKey(object), object]));
}

/** Returns recorded objects with what was changed since. Drift that was there before stays drift. */
export function changedObjects(recorded: Snapshot, before: Snapshot, after: Snapshot): Snapshot {
  const changed = new Map(recorded);
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const object = after.get(key);
    if (JSON.stringify(before.get(key)) === JSON.stringify(object)) continue;
    if (object) changed.set(key, object);
    else changed.delete(key);
  }
  return changed;
}

function placeOf({ session }: Run, applied: readonly Migration[]): Omit<ObjectsRecord, "objects"> {
  return { last: applied.at(-1)?.name ?? "", count: applied.length, major: Math.floor(session.serverVersion / 10_000) };
}

/**
 * Compares every object of the live database with what the last release recorded; undefined if nothing is recorded of
 * these migrations. It needs no right but to read the record.
 */
export async function compareRecorded(
  run: Run,
  applied: readonly Migration[],
): Promise<(Managed & Pick<Compared, "ignored" | "major">) | undefined> {
  const { session, table, settings } = run;
  const recorded = await recordedObjects(run, applied);
  if (!recorded) return undefined;
  const actual = await readObjects(session);
  const needed = await neededExtensions(session, recorded, actual);
  const schemas = schemasMade(run, applied);
  const managed = managedByHistory(recorded, actual, identifier(table.schema), needed, schemas);
  return { ...withoutIgnored(managed, settings.drift.ignore), major: Math.floor(session.serverVersion / 10_000) };
}

/** Returns the schemas, as SQL, in which the migrations make something. The others belong to somebody else. */
function schemasMade({ plans, table }: Run, applied: readonly Migration[]): Set<string> {
  const { promises } = plannedEffects(plans, [], applied, table.schema);
  return new Set(
    promises.flatMap(({ key, present }) => {
      const schema = /^(?:table|view|materialized view|sequence|type|function|schema) ([^.]+)/.exec(key)?.[1];
      return present && schema !== undefined ? identifier(schema) : [];
    }),
  );
}
