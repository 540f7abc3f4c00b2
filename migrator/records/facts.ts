import type { Migration } from "../../migrations/history/history";
import type { Catalog } from "../../migrations/statements/expectations";
import type { Run } from "../cli/run";
import { quoteText } from "./history-table";

export type FactKind = "catalog" | "statistics" | "report" | "sequences";

/** Kept of each kind, so that the table doesn't grow with the years. */
const KEPT = 20;

/** The catalog at the end of a release, and the place in the history it belongs to. */
interface CatalogFact {
  readonly last: string;
  readonly count: number;
  readonly catalog: Catalog;
  /** Major version of the server: another one writes the same definition in other words. */
  readonly major: number;
}

/** Writes a fact down; nothing where the records are unavailable. */
export async function recordFact({ session, records, table }: Run, kind: FactKind, data: unknown): Promise<void> {
  if (records.unavailable !== undefined) return;
  const schema = quoteText(table.schema);
  const release = records.release === undefined ? "NULL" : quoteText(records.release);
  await session.run(
    `BEGIN;
INSERT INTO _release.fact (schema_name, release, kind, data) VALUES (${schema}, ${release}, '${kind}', ${quoteText(JSON.stringify(data))});
DELETE FROM _release.fact WHERE schema_name = ${schema} AND kind = '${kind}' AND id NOT IN
  (SELECT id FROM _release.fact WHERE schema_name = ${schema} AND kind = '${kind}' ORDER BY id DESC LIMIT ${KEPT});
COMMIT`,
  );
}

export async function latestFact<T>(
  { session, records, table }: Run,
  kind: FactKind,
): Promise<{ at: Date; release: string | null; data: T } | undefined> {
  if (!(await records.readable())) return undefined;
  const [row] = await session.rows<{ at: Date; release: string | null; data: T }>(
    "SELECT at, release, data FROM _release.fact WHERE schema_name = $1 AND kind = $2 ORDER BY id DESC LIMIT 1",
    [table.schema, kind],
  );
  return row;
}

/**
 * The recorded catalog, if it is that of this place in the history, for another tool may have gone on since, and if a server of the
 * same major version wrote it.
 */
export async function latestCatalog(run: Run, last: string, count: number): Promise<Catalog | undefined> {
  const fact = await latestFact<CatalogFact>(run, "catalog");
  const { data } = fact ?? {};
  return data?.last === last && data.count === count && data.major === majorOf(run) ? data.catalog : undefined;
}

/** What was applied since a deploy last ended with its verification; everything where none has. */
export async function appliedSinceVerified(run: Run, applied: readonly Migration[]): Promise<readonly Migration[]> {
  const fact = await latestFact<CatalogFact>(run, "catalog");
  const verified = fact && applied[fact.data.count - 1]?.name === fact.data.last ? fact.data.count : 0;
  return applied.slice(verified);
}

export async function recordCatalog(run: Run, last: string, count: number, catalog: Catalog): Promise<void> {
  const fact: CatalogFact = { last, count, catalog, major: majorOf(run) };
  await recordFact(run, "catalog", fact);
}

function majorOf({ session }: Run): number {
  return Math.floor(session.serverVersion / 10_000);
}
