import { escapeLiteral } from "pg";
import type { Migration } from "../../migrations/history/history";
import type { Catalog } from "../../migrations/schema/expectation";
import type { Records } from "./records";

/** What is remembered of a release beside its migrations. */
export type RecordKind = "catalog" | "statistics" | "report" | "sequences";

/** Rows kept of each kind, so that the table doesn't grow with the years. */
const KEPT = 20;

/** The catalog at the end of a release, and the place in the history it belongs to. */
interface CatalogRecord {
  readonly last: string;
  readonly count: number;
  readonly catalog: Catalog;
  /** Major version of the server: another one writes the same definition in other words. */
  readonly major: number;
}

/** Something that a release wrote down, and when. */
export interface ReleaseRecord<T> {
  readonly at: Date;
  /** Undefined in the database: the run was started by hand. */
  readonly release: string | null;
  readonly data: T;
}

/** Writes down what a release found; nothing where the records are unavailable. */
export async function recordData(records: Records, kind: RecordKind, data: unknown): Promise<void> {
  if (records.unavailable !== undefined) return;
  const schema = escapeLiteral(records.schema);
  const release = records.release === undefined ? "NULL" : escapeLiteral(records.release);
  await records.session.run(
    `BEGIN;
INSERT INTO _release.fact (schema_name, release, kind, data) VALUES (${schema}, ${release}, '${kind}', ${escapeLiteral(JSON.stringify(data))});
DELETE FROM _release.fact WHERE schema_name = ${schema} AND kind = '${kind}' AND id NOT IN
  (SELECT id FROM _release.fact WHERE schema_name = ${schema} AND kind = '${kind}' ORDER BY id DESC LIMIT ${KEPT});
COMMIT`,
  );
}

/** Reads what was written down last of a kind; undefined where nothing was, or it can't be read. */
export async function latestRecord<T>(records: Records, kind: RecordKind): Promise<ReleaseRecord<T> | undefined> {
  if (!(await records.readable())) return undefined;
  const [row] = await records.session.rows<ReleaseRecord<T>>(
    "SELECT at, release, data FROM _release.fact WHERE schema_name = $1 AND kind = $2 ORDER BY id DESC LIMIT 1",
    [records.schema, kind],
  );
  return row;
}

/**
 * Reads the recorded catalog, if it is that of this place in the history, for another tool may have gone on since, and if a server of
 * the same major version wrote it.
 */
export async function latestCatalog(records: Records, last: string, count: number): Promise<Catalog | undefined> {
  const { data } = (await latestRecord<CatalogRecord>(records, "catalog")) ?? {};
  return data?.last === last && data.count === count && data.major === majorOf(records) ? data.catalog : undefined;
}

/** Tells what was applied since a deploy last ended with its verification; everything where none has. */
export async function appliedSinceVerified(
  records: Records,
  applied: readonly Migration[],
): Promise<readonly Migration[]> {
  const { data } = (await latestRecord<CatalogRecord>(records, "catalog")) ?? {};
  return applied.slice(data && applied[data.count - 1]?.name === data.last ? data.count : 0);
}

/** Writes down the catalog of a verified release, with the last migration and their number. */
export async function recordCatalog(records: Records, last: string, count: number, catalog: Catalog): Promise<void> {
  const data: CatalogRecord = { last, count, catalog, major: majorOf(records) };
  await recordData(records, "catalog", data);
}

function majorOf({ session }: Records): number {
  return Math.floor(session.serverVersion / 10_000);
}
