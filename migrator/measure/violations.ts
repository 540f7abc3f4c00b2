import { escapeIdentifier } from "pg";
import type { Migration } from "../../migrations/history/history";
import { counted } from "../../text/counted";
import type { Session } from "../db/connection";
import { readTables } from "../db/safe-read";
import { StatementFailed } from "../failures/statement";
import type { Run } from "../run";
import { foreignKeys, limitedColumns, uniqueKeys } from "./written";

/** The longest time for all counting, in milliseconds. */
const LIMIT = 10_000;

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
  readonly schema: string;
  /** The time at which counting ends, in milliseconds. */
  readonly until: number;
}

/** How the rows are counted that a statement failed on, by the error's SQLSTATE. */
const COUNTS: Readonly<Record<string, (failed: Failed) => Promise<string | undefined>>> = {
  "23502": countNulls,
  "23503": countOrphans,
  "23505": countDuplicates,
  "22001": countTooLong,
};

/**
 * Counts the rows that a migration of a measured run failed on, because Postgres itself speaks of one of them, and puts
 * their number before the evidence of the failure. The database is as it was before the migration, so rows that the
 * migration has made itself are not among them. It only reads, for at most 10 s, and tells no value of a row.
 * @param failure the failure of the migration
 * @throws the failure itself, always
 */
export async function tellViolations(
  { session, measure }: Run,
  migration: Migration,
  failure: unknown,
): Promise<never> {
  if (!measure || !(failure instanceof StatementFailed) || session.lost !== undefined) throw failure;
  const error = failure.cause as RowError;
  const count = Object.hasOwn(COUNTS, error.code ?? "") ? COUNTS[error.code ?? ""] : undefined;
  const { schema } = session.target;
  // A count that can't be made is no reason to hide the failure.
  const told = await count?.({ session, error, migration, schema, until: Date.now() + LIMIT }).catch(() => undefined);
  if (told !== undefined) failure.detail = `${told}\n${failure.detail}`;
  throw failure;
}

async function countNulls(failed: Failed): Promise<string | undefined> {
  const { error } = failed;
  const table = tableOf(error);
  if (table === undefined || error.column === undefined) return undefined;
  const rows = await numberOf(failed, [table], `FROM ${table} WHERE ${escapeIdentifier(error.column)} IS NULL`);
  if (rows !== undefined) return `${counted(rows, "row")} of ${error.table} ${has(rows)} no ${error.column}.`;
  // The column is new, so no row has a value.
  const all = await numberOf(failed, [table], `FROM ${table}`);
  return all === undefined ? undefined : `${counted(all, "row")} of ${error.table} would have no ${error.column}.`;
}

async function countDuplicates(failed: Failed): Promise<string | undefined> {
  const { error } = failed;
  const [table, columns] = [tableOf(error), keyColumns(error)];
  if (table === undefined || columns === undefined) return undefined;
  const keys = uniqueKeys(failed, table, error.constraint ?? "");
  // The rows of a partial index are those of its predicate.
  if (keys.length === 0 || keys.some(({ isPartial }) => isPartial)) return undefined;
  const rows = keys.some(({ nullsNotDistinct }) => nullsNotDistinct) ? "" : `WHERE ROW(${columns}) IS NOT NULL`;
  const [row] = await read<{ keys: number; rows: number }>(
    failed,
    [table],
    `SELECT count(*)::float8 AS keys, coalesce(sum(n), 0)::float8 AS rows FROM
       (SELECT count(*) AS n FROM ${table} ${rows} GROUP BY ${columns} HAVING count(*) > 1) d`,
  );
  if (!row || row.keys === 0) return undefined;
  return `Duplicate keys (${columns}) of ${error.table}: ${counted(row.keys, "key")} in ${counted(row.rows, "row")}.`;
}

async function countOrphans(failed: Failed): Promise<string | undefined> {
  const { error } = failed;
  const [table, columns] = [tableOf(error), keyColumns(error)];
  const parentName = / is not present in table "(.*)"\.$/.exec(error.detail ?? "")?.[1];
  if (table === undefined || columns === undefined) return undefined;
  // Several keys without a name may be added at once, so the key is found by what it refers to as well.
  const key = foreignKeys(failed, table, error.constraint ?? "").find(
    (each) => each.columns.join() === unquoted(columns) && each.parentName === parentName,
  );
  if (!key || key.parentColumns.length === 0) return undefined;
  const { parent, parentColumns } = key;
  const pairs = key.columns.map((column, index) => [`c.${escapeIdentifier(column)}`, parentColumns[index] ?? ""]);
  const given = pairs.map(([column]) => `${column} IS NOT NULL`).join(" AND ");
  const match = pairs.map(([column, of = ""]) => `p.${escapeIdentifier(of)} = ${column}`).join(" AND ");
  const orphans = await numberOf(
    failed,
    [table, parent],
    `FROM ${table} c WHERE ${given} AND NOT EXISTS (SELECT FROM ${parent} p WHERE ${match})`,
  );
  if (orphans === undefined) return undefined;
  return `${counted(orphans, "row")} of ${error.table} ${orphans === 1 ? "refers" : "refer"} by (${columns}) to no row of ${parentName}.`;
}

/** Postgres doesn't say which column it is, so every column is looked at that the migration gives a length. */
async function countTooLong(failed: Failed): Promise<string | undefined> {
  const told: string[] = [];
  for (const { table, tableName, column, length } of limitedColumns(failed)) {
    // Postgres cuts off spaces without an error.
    const rest = `rtrim(substr(${escapeIdentifier(column)}::text, ${length + 1}))`;
    const rows = await numberOf(failed, [table], `FROM ${table} WHERE ${rest} <> ''`);
    if (rows)
      told.push(`${counted(rows, "row")} of ${tableName} ${has(rows)} more than ${length} characters in ${column}.`);
  }
  return told.length === 0 ? undefined : told.join(" ");
}

function has(rows: number): string {
  return rows === 1 ? "has" : "have";
}

/** Returns the number of rows; undefined if it is unknown. */
async function numberOf(failed: Failed, tables: readonly string[], from: string): Promise<number | undefined> {
  const [row] = await read<{ rows: number }>(failed, tables, `SELECT count(*)::float8 AS rows ${from}`);
  return row?.rows;
}

/** Reads tables within the time that is left; no rows: they can't be read. */
async function read<Row>({ session, until }: Failed, tables: readonly string[], query: string): Promise<Row[]> {
  const left = until - Date.now();
  const rows = left > 0 ? await readTables<Row>(session, tables, left, query) : [];
  return "unknown" in rows ? [] : rows;
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

/** Returns the names of columns as they are in the catalog, with a comma between them. */
function unquoted(columns: string): string {
  return columns
    .split(", ")
    .map((each) => (each.startsWith('"') ? each.slice(1, -1).replaceAll('""', '"') : each))
    .join();
}
