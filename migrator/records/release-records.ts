import { escapeLiteral } from "pg";
import type { Migration } from "../../migrations/history/history";
import type { Catalog } from "../../migrations/schema/expectation";
import type { RecordedBackup } from "../../report/contract";
import type { Records } from "./records";

/** The kinds of data that are recorded of a release in addition to its migrations. */
export type RecordKind = "catalog" | "objects" | "statistics" | "report" | "sequences" | "dump" | "branch" | "counters";

/** The number of rows that are kept of each kind, so that the table doesn't grow over the years. */
const KEPT = 20;
/** The number of rows of the objects, which are large and of which only the last is compared. */
const KEPT_OBJECTS = 1;

/** The catalog at the end of a release, with the last migration and the number of migrations that are applied. */
interface CatalogRecord {
  readonly last: string;
  readonly count: number;
  readonly catalog: Catalog;
  /** The major version of the server; another version writes the same definition in other words. */
  readonly major: number;
}

/** Data that a release recorded, with its time. */
export interface ReleaseRecord<T> {
  readonly at: Date;
  /** The id of the release; null if the run was started by hand. */
  readonly release: string | null;
  readonly data: T;
}

/** Records what a release found; does nothing if the records are unavailable. */
export async function recordData(records: Records, kind: RecordKind, data: unknown): Promise<void> {
  if (records.unavailable !== undefined) return;
  const schema = escapeLiteral(records.schema);
  const release = records.release === undefined ? "NULL" : escapeLiteral(records.release);
  await records.session.run(
    `BEGIN;
INSERT INTO _release.record (schema_name, release, kind, data) VALUES (${schema}, ${release}, '${kind}', ${escapeLiteral(JSON.stringify(data))});
DELETE FROM _release.record WHERE schema_name = ${schema} AND kind = '${kind}' AND id NOT IN
  (SELECT id FROM _release.record WHERE schema_name = ${schema} AND kind = '${kind}' ORDER BY id DESC LIMIT ${kind === "objects" ? KEPT_OBJECTS : KEPT});
COMMIT`,
  );
}

/** Reads the latest record of a kind; undefined if there is none, or it can't be read. */
export async function latestRecord<T>(records: Records, kind: RecordKind): Promise<ReleaseRecord<T> | undefined> {
  if (!(await records.readable())) return undefined;
  const [row] = await records.session.rows<ReleaseRecord<T>>(
    "SELECT at, release, data FROM _release.record WHERE schema_name = $1 AND kind = $2 ORDER BY id DESC LIMIT 1",
    [records.schema, kind],
  );
  return row;
}

/** Reads what is recorded of a dump or a branch; undefined if nothing is, or it can't be read. */
export async function recordedBackup(
  records: Records,
  kind: "dump" | "branch",
  id: string,
): Promise<RecordedBackup | undefined> {
  if (!(await records.readable())) return undefined;
  const [row] = await records.session.rows<{ data: RecordedBackup }>(
    "SELECT data FROM _release.record WHERE schema_name = $1 AND kind = $2 AND data->>'id' = $3 ORDER BY id DESC LIMIT 1",
    [records.schema, kind, id],
  );
  return row?.data;
}

/**
 * Reads the recorded catalog; undefined unless it belongs to this place in the history, because another tool may have
 * migrated since, and was written by a server of the same major version.
 */
export async function latestCatalog(records: Records, last: string, count: number): Promise<Catalog | undefined> {
  const { data } = (await latestRecord<CatalogRecord>(records, "catalog")) ?? {};
  return data?.last === last && data.count === count && data.major === majorOf(records) ? data.catalog : undefined;
}

/**
 * Returns the migrations that were applied since a deploy last ended with its verification; all of them if none has.
 */
export async function appliedSinceVerified(
  records: Records,
  applied: readonly Migration[],
): Promise<readonly Migration[]> {
  const { data } = (await latestRecord<CatalogRecord>(records, "catalog")) ?? {};
  return applied.slice(data && applied[data.count - 1]?.name === data.last ? data.count : 0);
}

/** Records the catalog of a verified release, with the last migration and the number of migrations. */
export async function recordCatalog(records: Records, last: string, count: number, catalog: Catalog): Promise<void> {
  const data: CatalogRecord = { last, count, catalog, major: majorOf(records) };
  await recordData(records, "catalog", data);
}

function majorOf({ session }: Records): number {
  return Math.floor(session.serverVersion / 10_000);
}
