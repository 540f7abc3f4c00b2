import type { Catalog } from "../../migrations/schema/expectation";
import type { Difference } from "./drift";

/**
 * Tables that other tools create for themselves: AWS DMS, pgbench, and other programs that keep a history of
 * migrations.
 */
const TOOLS = new RegExp(
  `^(${[
    ...["awsdms_\\w+", "pgbench_\\w+", "_?flyway_schema_history", "databasechangelog(lock)?", "schema_migrations"],
    ...[
      "ar_internal_metadata",
      "knex_migrations(_lock)?",
      "__drizzle_migrations",
      "_sqlx_migrations",
      "alembic_version",
    ],
    ...[
      "goose_db_version",
      "pgmigrations",
      "sequelizemeta",
      "typeorm_metadata",
      "django_migrations",
      "__efmigrationshistory",
      "kysely_migration(_lock)?",
      "mikro_orm_migrations",
      "atlas_schema_revisions",
      "refinery_schema_history",
    ],
  ].join("|")})$`,
  "i",
);

/** Returns true for the name of a table that another tool creates for itself. The name has no schema and no quotes. */
export function isToolTable(name: string): boolean {
  return TOOLS.test(name);
}

/**
 * Returns the object to which a difference belongs, if that object is not managed by the history; undefined if somebody
 * may have changed the schema by hand. Three kinds of objects come and go without the history: extensions that it
 * doesn't name, partitions of a table that it created, and tables of other tools.
 */
export function outsideHistory(difference: Difference, expected: Catalog, actual: Catalog): string | undefined {
  const { key } = difference;
  if (key.startsWith("extension ") && difference.expected === undefined) return key;
  const table = tableOf(difference, [expected, actual]);
  if (table === undefined) return undefined;
  const there = actual[`table ${table}`];
  const made = expected[`table ${table}`];
  if (made === undefined && there !== undefined && isToolTable(nameIn(table))) return `table ${table}`;
  // A scheduled job creates partitions ahead and drops old ones, with everything on them.
  const partition = made === undefined ? there : there === undefined ? made : undefined;
  return partition !== undefined && /(^| )PARTITION (?!BY )/.test(partition) ? `partition ${table}` : undefined;
}

/**
 * Returns the table, as `schema.name`, that a key names or that its index, sequence, column or other part belongs to.
 */
export function tableOf({ key, expected, actual }: Difference, catalogs: readonly Catalog[]): string | undefined {
  const [, kind, name] = /^(table|index|sequence|column|constraint|trigger|policy) (.+)$/.exec(key) ?? [];
  if (kind === undefined || name === undefined) return undefined;
  if (kind === "table") return name;
  if (kind === "index") return unquoted(/ ON (?:ONLY )?(.+?) USING /.exec(actual ?? expected ?? "")?.[1]);
  // The sequence of a serial column is named after its table and column, both of which may contain underscores.
  if (kind === "sequence") {
    const words = /^(.+)_seq\d*$/.exec(name)?.[1]?.split("_") ?? [];
    const prefixes = words.map((_, at) => words.slice(0, words.length - at).join("_"));
    return prefixes.find((prefix) => catalogs.some((catalog) => `table ${prefix}` in catalog));
  }
  return /^(.+)\.[^.]+$/.exec(name)?.[1];
}

function nameIn(table: string): string {
  return table.slice(table.indexOf(".") + 1);
}

/** Returns a name without the quotes that the catalog's functions add, as the catalog stores it. */
function unquoted(name: string | undefined): string | undefined {
  return name?.replaceAll(/"((?:[^"]|"")+)"/g, (_, inner: string) => inner.replaceAll('""', '"'));
}
