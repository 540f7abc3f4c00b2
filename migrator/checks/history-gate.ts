import { escapeIdentifier } from "pg";
import type { Migration } from "../../migrations/history/history";
import type { Session } from "../db/connection";
import { quietText } from "../db/prisma-output";
import { EditedMigration, FailedMigration, MissingMigration, NoHistory } from "../failures/history";
import { compareHistory, type HistoryState } from "../records/history-state";
import type { HistoryRow } from "../records/history-table";
import type { Run } from "../run";
import { describeHotfixes } from "./missing-hotfixes";
import { squashOf } from "./squash";

/**
 * Reads the history, and refuses one on which nothing may be deployed.
 * @param resumable the ids of unfinished rows that this program wrote itself and can continue; default: none
 * @throws NoHistory if the schema has tables or types but no history
 * @throws FailedMigration if a migration is unfinished
 * @throws EditedMigration if an applied migration was edited
 * @throws MissingMigration if the folder lacks an applied migration, unless allowDatabaseAhead is set
 */
export async function readHistory(
  run: Run,
  migrations: readonly Migration[],
  resumable?: ReadonlySet<string>,
): Promise<HistoryState & { tableExists: boolean }> {
  const { session, table, settings } = run;
  const tableExists = await table.exists(session);
  if (!tableExists && migrations.length > 0) {
    const found = await objectsOf(session, table.schema);
    if (found.length > 0) throw new NoHistory(table.schema, found, await historyElsewhere(session, table.schema));
  }
  const rows = tableExists ? await table.read(session) : [];
  const historyState = compareHistory(migrations, rows);
  const names = new Set(migrations.map(({ name }) => name));
  // Nothing is applied over a migration that is half applied and has no folder to continue with.
  const stuck = (row: HistoryRow) => historyState.pending.length > 0 && !names.has(row.migrationName);
  const foreign = historyState.unfinished.filter((row) => !resumable?.has(row.id) || stuck(row));
  if (foreign.length > 0) {
    const [{ migrationName, startedAt, logs }] = foreign as [(typeof foreign)[0]];
    throw new FailedMigration(migrationName, startedAt.toISOString(), quietText(logs ?? ""));
  }
  if (historyState.edited.length > 0)
    throw new EditedMigration(
      historyState.edited.map(({ migration }) => migration.name),
      historyState.edited.map(
        ({ migration, row }) =>
          `  ${migration.name}: applied ${row.finishedAt?.toISOString()} with checksum ${row.checksum.slice(0, 12)}…, now ${migration.checksum.slice(0, 12)}…`,
      ),
    );
  if (historyState.missing.length > 0 && !settings.allowDatabaseAhead) {
    const missing = historyState.missing.map((row) => row.migrationName);
    const squash = await squashOf(run, historyState, rows);
    throw new MissingMigration(missing, squash?.name, await describeHotfixes(run, missing));
  }
  return { ...historyState, tableExists };
}

/**
 * Returns a sentence that names up to three other schemas with a Prisma history, because the connection string may name
 * the wrong schema; undefined if there are none.
 */
export async function historyElsewhere(session: Session, schema: string): Promise<string | undefined> {
  const rows = await session.rows<{ name: string }>(
    `SELECT n.nspname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relname = '_prisma_migrations' AND c.relkind IN ('r', 'p') AND n.nspname <> $1 ORDER BY 1 LIMIT 3`,
    [schema],
  );
  if (rows.length === 0) return undefined;
  const names = rows.map(({ name }) => `"${name}"`).join(", ");
  return `The schema "${schema}" has no migration history, but ${names} has one; where it is this app's, say schema=NAME in the connection string or in database.parameters.`;
}

/**
 * Returns the names of a schema's tables, views and types for people, without those of extensions: up to five and "…".
 * The list is empty if the schema doesn't exist.
 */
export async function objectsOf(session: Session, schema: string): Promise<string[]> {
  const rows = await session.rows<{ object: string }>(
    `SELECT object FROM (
       SELECT 1 AS rank, c.oid, 'pg_class'::regclass AS class, 'table ' || c.relname AS object FROM pg_class c
         WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
       UNION ALL
       SELECT 2, t.oid, 'pg_type'::regclass, 'type ' || t.typname FROM pg_type t
         WHERE t.typnamespace = to_regnamespace($1) AND t.typtype IN ('e', 'd')
     ) found
     WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = found.oid AND d.classid = found.class AND d.deptype = 'e')
     ORDER BY rank, object LIMIT 6`,
    [escapeIdentifier(schema)],
  );
  const names = rows.map(({ object }) => object);
  return names.length > 5 ? [...names.slice(0, 5), "…"] : names;
}
