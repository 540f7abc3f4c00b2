import type { Migration } from "../migrations/history/history";
import type { PrismaFile } from "../migrations/revert/prisma-schema";
import { loadParser } from "../migrations/sql/parse";
import { expectedDatabase } from "../prisma/expected";
import { PrismaSyntaxError, parsePrisma } from "../prisma/parse";
import type { Finding } from "../review/finding";
import { trialFinding } from "./finding";
import { connected } from "./server";

/** A column as the server has it. */
interface Column {
  /** The type without length or precision, such as `character varying` or `integer[]`. */
  readonly type: string;
  /** The values of its enum; empty if the type is none. */
  readonly labels: readonly string[];
  readonly required: boolean;
  readonly filled: boolean;
}

/** The columns of each table by their names. A table's name contains its schema unless that is `public`. */
type Tables = ReadonlyMap<string, ReadonlyMap<string, Column>>;

/**
 * Finds what the old version's Prisma schema uses and the database no longer has, while pods of the old version still
 * run. The database before the migrations is what is compared with, so that older differences are no findings.
 * @param schema the files of the Prisma schema of the old version
 * @param before the connection string of the database before the migrations
 * @param after that of the database with the migrations that run before the rollout
 */
export async function oldVersionFindings(
  schema: readonly PrismaFile[],
  pending: readonly Migration[],
  { before, after }: { before: string; after: string },
): Promise<Finding[]> {
  const [had, has] = await Promise.all([tablesOf(before), tablesOf(after)]);
  const uses = await usedColumns(schema);
  return [...uses].flatMap(([table, columns]) => {
    const old = had.get(table);
    if (!old) return [];
    const now = has.get(table);
    const losses = now ? tableLosses(table, columns, old, now) : [{ about: table, what: "the table is gone" }];
    return losses.map((loss) => finding(loss, table, pending));
  });
}

interface Loss {
  /** The table or column, such as `notes.title`. */
  readonly about: string;
  /** What became of it, as a clause. */
  readonly what: string;
}

function tableLosses(
  table: string,
  columns: readonly string[],
  old: ReadonlyMap<string, Column>,
  now: ReadonlyMap<string, Column>,
): Loss[] {
  const used = columns.flatMap((name): Loss[] => {
    const [was, is] = [old.get(name), now.get(name)];
    const what = was && (is ? changed(was, is) : "the column is gone");
    return what === undefined ? [] : [{ about: `${table}.${name}`, what }];
  });
  const added = [...now].filter(([name, { required, filled }]) => !old.has(name) && required && !filled);
  return [
    ...used,
    ...added.map(([name]) => ({
      about: `${table}.${name}`,
      what: "the new column is NOT NULL without a default, so INSERTs of the old version fail",
    })),
  ];
}

function changed(was: Column, is: Column): string | undefined {
  if (!isCompatible(was.type, is.type)) return `its type was ${was.type} and is ${is.type}`;
  const lost = was.labels.filter((label) => !is.labels.includes(label));
  if (lost.length > 0) return `its enum has no longer ${lost.join(", ")}`;
  if (is.required && !was.required && !is.filled) return "it is NOT NULL now, without a default";
  return undefined;
}

/** Types of which each takes what the ones before it take. */
const families: readonly (readonly string[])[] = [
  ["smallint", "integer", "bigint"],
  ["real", "double precision"],
];
const texts: ReadonlySet<string> = new Set(["character", "character varying", "text", "citext"]);

function isCompatible(was: string, is: string): boolean {
  if (was === is || (texts.has(was) && texts.has(is))) return true;
  return families.some((family) => family.includes(was) && family.indexOf(is) > family.indexOf(was));
}

function finding({ about, what }: Loss, table: string, pending: readonly Migration[]): Finding {
  const word = about === table ? table : about.slice(table.length + 1);
  const migration = pending.findLast(({ sql }) => sql.includes(word)) ?? pending.at(-1)!;
  return trialFinding("old-version-broken", migration, {
    about,
    what: `\`${about}\` is used by the old version's Prisma schema, and after the migrations ${what}.`,
    who: "Pods of the old version, whose queries fail.",
    howLong: "Until the rollout is complete",
  });
}

/** The columns of each table that a Prisma schema names. A schema that can't be read names none. */
async function usedColumns(files: readonly PrismaFile[]): Promise<Map<string, string[]>> {
  await loadParser();
  try {
    const { tables } = expectedDatabase(parsePrisma(files));
    return new Map([...tables].map(([key, { columns }]) => [key, [...columns.keys()]]));
  } catch (error) {
    if (!(error instanceof PrismaSyntaxError)) throw error;
    return new Map();
  }
}

const columnsQuery = `
  SELECT CASE WHEN nspname = 'public' THEN relname ELSE nspname || '.' || relname END AS "table", attname AS name,
    format_type(atttypid, NULL) AS type, attnotnull AS required, atthasdef OR attidentity <> '' AS filled,
    ARRAY(SELECT enumlabel::text FROM pg_enum WHERE enumtypid IN (t.oid, t.typelem)) AS labels
  FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
    JOIN pg_type t ON t.oid = atttypid
  WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'v', 'm', 'f')
    AND nspname NOT IN ('pg_catalog', 'information_schema') AND nspname NOT LIKE 'pg\\_toast%'`;

async function tablesOf(url: string): Promise<Tables> {
  const { rows } = await connected(url, (client) =>
    client.query<Column & { table: string; name: string }>(columnsQuery),
  );
  const tables = new Map<string, Map<string, Column>>();
  for (const { table, name, ...column } of rows) {
    const columns = tables.get(table) ?? new Map<string, Column>();
    tables.set(table, columns.set(name, column));
  }
  return tables;
}
