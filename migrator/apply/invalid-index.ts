import type { RangeVar } from "libpg-query";
import { escapeIdentifier } from "pg";
import type { Remains } from "../../migrations/statements/remains";
import { findRelation, ownRows } from "../db/own-queries";
import { runScript } from "../db/query";
import type { Run } from "../run";
import { relationName, type Verdict } from "./verdict";

interface FoundIndex {
  name: string;
  schema: string;
  valid: boolean;
  building: boolean;
}

/**
 * Drops the INVALID index that a failed CREATE INDEX CONCURRENTLY left, so that it is built again. Every write
 * maintains such an index, no query uses it, and IF NOT EXISTS takes it for a finished one.
 * @param retried true if an earlier attempt at this very statement is recorded
 */
export async function afterIndexBuild(
  run: Run,
  { name: wanted, table }: Extract<Remains, { kind: "index" }>,
  retried: boolean,
): Promise<Verdict> {
  const found = await indexesOf(run, table);
  // If the statement gives no name, the index of an earlier attempt can only be recognised by being invalid.
  const mine =
    wanted === undefined ? found.filter(({ valid }) => !valid && retried) : found.filter(({ name }) => name === wanted);
  for (const index of mine) if (!index.valid && !index.building) await dropInvalid(run, index);
  return retried && wanted !== undefined && mine.some(({ valid }) => valid) ? "complete" : "run";
}

/** Drops the half-built (_ccnew) or replaced (_ccold) indexes that an interrupted REINDEX … CONCURRENTLY left. */
export async function afterReindex(run: Run, relation: RangeVar): Promise<Verdict> {
  const rows = await ownRows<{ schema: string; relname: string }>(
    run.session,
    `SELECT n.nspname AS schema, t.relname FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
       JOIN pg_class t ON t.oid = coalesce(i.indrelid, c.oid) JOIN pg_namespace n ON n.oid = t.relnamespace WHERE c.oid = $1`,
    [await findRelation(run.session, relationName(relation))],
  );
  for (const { schema, relname } of rows)
    for (const index of await indexesOf(run, { schemaname: schema, relname }))
      if (!index.valid && !index.building && /_cc(new|old)\d*$/.test(index.name)) await dropInvalid(run, index);
  return "run";
}

async function indexesOf(run: Run, table: RangeVar): Promise<FoundIndex[]> {
  return ownRows<FoundIndex>(
    run.session,
    `SELECT c.relname AS name, n.nspname AS schema, i.indisvalid AS valid,
       EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid AND p.pid <> pg_backend_pid()) AS building
     FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE i.indrelid = $1`,
    [await findRelation(run.session, relationName(table))],
  );
}

async function dropInvalid(run: Run, { schema, name }: FoundIndex): Promise<void> {
  run.log.event(
    "index.invalid",
    `  index ${name} is invalid, left by a build that failed; dropping it to build it again`,
    { index: name },
  );
  await runScript(
    run.session,
    `DROP INDEX CONCURRENTLY IF EXISTS ${escapeIdentifier(schema)}.${escapeIdentifier(name)}`,
  );
}
