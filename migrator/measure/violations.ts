import type { Node } from "libpg-query";
import { escapeIdentifier } from "pg";
import type { Migration } from "../../migrations/history/history";
import { nodeOf, parseScript } from "../../migrations/sql/parse";
import { counted } from "../../text/counted";
import type { Session } from "../db/connection";
import { ownRows } from "../db/own-queries";
import { StatementFailed } from "../failures/statement";
import type { Run } from "../run";

/** The fields of an error of Postgres that say which rows it is about. None of them is a value of a row. */
interface RowError {
  readonly code?: string;
  readonly schema?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
  readonly detail?: string;
}

interface Failed {
  readonly session: Session;
  readonly error: RowError;
  readonly migration: Migration;
}

/** How the rows are counted that a statement failed on, by the error's SQLSTATE. */
const COUNTS: Readonly<Record<string, (failed: Failed) => Promise<string | undefined>>> = {
  "23502": countNulls,
  "23503": countOrphans,
  "23505": countDuplicates,
  "22001": countTooLong,
};

/**
 * Counts the rows that a migration of a measured run failed on, because Postgres itself speaks of one of them, and logs
 * the event `violations`. The database is as it was before the migration, so rows that the migration has made itself are
 * not among them. No value of a row is told.
 * @param failure the failure of the migration
 * @throws the failure itself, always
 */
export async function tellViolations(
  { session, log, measure }: Run,
  migration: Migration,
  failure: unknown,
): Promise<never> {
  const error = (failure instanceof StatementFailed ? failure.cause : undefined) as RowError | undefined;
  const count = measure && Object.hasOwn(COUNTS, error?.code ?? "") ? COUNTS[error?.code ?? ""] : undefined;
  // A count that can't be made is no reason to hide the failure.
  const text = error && (await count?.({ session, error, migration }).catch(() => undefined));
  if (text !== undefined) log.event("violations", text);
  throw failure;
}

async function countNulls({ session, error }: Failed): Promise<string | undefined> {
  const table = tableOf(error);
  if (table === undefined || error.column === undefined) return undefined;
  const column = escapeIdentifier(error.column);
  const rows = await numberOf(session, `FROM ${table} WHERE ${column} IS NULL`).catch(() => undefined);
  if (rows !== undefined) return `${counted(rows, "row")} of ${error.table} ${has(rows)} no ${error.column}.`;
  // The column is new, so no row has a value.
  return `${counted(await numberOf(session, `FROM ${table}`), "row")} of ${error.table} would have no ${error.column}.`;
}

async function countDuplicates({ session, error, migration }: Failed): Promise<string | undefined> {
  const [table, columns] = [tableOf(error), keyColumns(error)];
  // The rows of a partial index are those of its predicate.
  const isPartial = /CREATE\s+UNIQUE\s+INDEX[^;]*\sWHERE\s/i.test(migration.sql);
  if (table === undefined || columns === undefined || isPartial) return undefined;
  const [row] = await ownRows<{ keys: number; rows: number }>(
    session,
    `SELECT pg_catalog.count(*)::float8 AS keys, coalesce(pg_catalog.sum(n), 0)::float8 AS rows FROM
       (SELECT pg_catalog.count(*) AS n FROM ${table} WHERE ROW(${columns}) IS NOT NULL GROUP BY ${columns} HAVING pg_catalog.count(*) > 1) d`,
    [],
  );
  if (!row || row.keys === 0) return undefined;
  return `Duplicate keys (${columns}) of ${error.table}: ${counted(row.keys, "key")} in ${counted(row.rows, "row")}.`;
}

async function countOrphans({ session, error, migration }: Failed): Promise<string | undefined> {
  const [table, columns] = [tableOf(error), keyColumns(error)];
  const reference =
    columns === undefined ? undefined : referenceOf(migration, session.target.schema, error.constraint ?? "");
  if (table === undefined || columns === undefined || !reference) return undefined;
  const referred = reference.columns.map(escapeIdentifier).join(", ");
  const parent = `SELECT ${referred} FROM ${reference.table} WHERE ROW(${referred}) IS NOT NULL`;
  const orphans = await numberOf(
    session,
    `FROM ${table} WHERE ROW(${columns}) IS NOT NULL AND (${columns}) NOT IN (${parent})`,
  );
  return `${counted(orphans, "row")} of ${error.table} ${orphans === 1 ? "refers" : "refer"} by (${columns}) to no row of ${reference.name}.`;
}

/** Postgres doesn't say which column it is, so every column is looked at that the migration gives a length. */
async function countTooLong({ session, migration }: Failed): Promise<string | undefined> {
  const told: string[] = [];
  for (const { table, name, column, length } of lengthsIn(migration, session.target.schema)) {
    const rows = await numberOf(
      session,
      `FROM ${table} WHERE pg_catalog.length(${escapeIdentifier(column)}::text) > ${length}`,
    );
    if (rows > 0)
      told.push(`${counted(rows, "row")} of ${name} ${has(rows)} more than ${length} characters in ${column}.`);
  }
  return told.length === 0 ? undefined : told.join(" ");
}

function has(rows: number): string {
  return rows === 1 ? "has" : "have";
}

async function numberOf(session: Session, from: string): Promise<number> {
  const [row] = await ownRows<{ rows: number }>(session, `SELECT pg_catalog.count(*)::float8 AS rows ${from}`, []);
  return row?.rows ?? 0;
}

function tableOf({ schema, table }: RowError): string | undefined {
  if (schema === undefined || table === undefined) return undefined;
  return `${escapeIdentifier(schema)}.${escapeIdentifier(table)}`;
}

/** Returns the columns of `Key (a, b) is duplicated.` as Postgres writes them in SQL; undefined if constants are among them. */
function keyColumns({ detail = "" }: RowError): string | undefined {
  const columns = /^Key \((.*?)\)(?: already exists| is duplicated| is not present in table .*|)\.$/.exec(detail)?.[1];
  return columns === undefined || /['…]/.test(columns) ? undefined : columns;
}

/** The table and columns that a foreign key refers to. */
interface Reference {
  readonly table: string;
  readonly name: string;
  readonly columns: readonly string[];
}

/** Finds the foreign key of this name that the migration adds, with the columns that it refers to. */
function referenceOf(migration: Migration, schema: string, constraint: string): Reference | undefined {
  for (const { def } of alterations(migration, schema)) {
    const found = def && "Constraint" in def ? def.Constraint : undefined;
    if (found?.contype !== "CONSTR_FOREIGN" || !found.pktable?.relname) continue;
    const columns = (found.pk_attrs ?? []).flatMap((each) => ("String" in each ? (each.String.sval ?? []) : []));
    if (columns.length === 0 || (found.conname ?? constraint) !== constraint) continue;
    const { schemaname = schema, relname: name } = found.pktable;
    return { table: qualified(schemaname, name), name, columns };
  }
  return undefined;
}

/** Returns the columns that the migration gives a type with a length. */
function lengthsIn(
  migration: Migration,
  schema: string,
): { table: string; name: string; column: string; length: number }[] {
  return alterations(migration, schema).flatMap(({ table, relation, name: column, def }) => {
    const type = def && "ColumnDef" in def ? def.ColumnDef.typeName : undefined;
    const [length] = (type?.typmods ?? []).flatMap((each) =>
      "A_Const" in each ? (each.A_Const.ival?.ival ?? []) : [],
    );
    return column === undefined || length === undefined ? [] : [{ table, name: relation, column, length }];
  });
}

/**
 * Returns every subcommand of the ALTER TABLE statements of a migration, with its table.
 * @param schema the schema of names without one
 */
function alterations({ sql }: Migration, schema: string) {
  const statements = [...parseScript(sql)].map((each): Node => nodeOf(each));
  return statements.flatMap((node) => {
    if (!("AlterTableStmt" in node)) return [];
    const { relation, cmds = [] } = node.AlterTableStmt;
    const name = relation?.relname ?? "";
    return cmds.flatMap((each) =>
      "AlterTableCmd" in each
        ? [{ ...each.AlterTableCmd, table: qualified(relation?.schemaname ?? schema, name), relation: name }]
        : [],
    );
  });
}

function qualified(schema: string, name: string): string {
  return `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`;
}
