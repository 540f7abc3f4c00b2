import type { Catalog } from "../../migrations/schema/expectation";
import type { Difference } from "./drift";

/** Tables that other tools make for themselves: AWS DMS, pgbench, and what else keeps a history of migrations. */
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
    ],
  ].join("|")})$`,
  "i",
);

/**
 * Why a difference between the live schema and the history is nobody's change of that schema by hand; undefined where it may be one.
 * Extensions that the history doesn't name, partitions of a table that the history made, and tables of other tools come and go beside it.
 */
export function outsideHistory(difference: Difference, expected: Catalog, actual: Catalog): string | undefined {
  const { key } = difference;
  if (key.startsWith("extension ") && difference.expected === undefined) return key;
  const table = tableOf(difference, { ...expected, ...actual });
  if (table === undefined) return undefined;
  const there = actual[`table ${table}`];
  const made = expected[`table ${table}`];
  if (made === undefined && there !== undefined && TOOLS.test(nameIn(table))) return `table ${table}`;
  // A job makes partitions ahead and drops old ones, with all that is on them.
  const partition = made === undefined ? there : there === undefined ? made : undefined;
  return partition !== undefined && /(^| )PARTITION (?!BY )/.test(partition) ? `partition ${table}` : undefined;
}

/** The table, as `schema.name`, that a table, an index or a sequence of its own, or a part of one belongs to. */
function tableOf({ key, expected, actual }: Difference, tables: Catalog): string | undefined {
  const [, kind, name] = /^(table|index|sequence|column|constraint|trigger|policy) (.+)$/.exec(key) ?? [];
  if (kind === undefined || name === undefined) return undefined;
  if (kind === "table") return name;
  if (kind === "index") return unquoted(/ ON (?:ONLY )?(.+?) USING /.exec(actual ?? expected ?? "")?.[1]);
  // The sequence of a serial column is named after its table and column, which have underscores of their own.
  if (kind === "sequence") {
    const words = /^(.+)_seq\d*$/.exec(name)?.[1]?.split("_") ?? [];
    const prefixes = words.map((_, at) => words.slice(0, words.length - at).join("_"));
    return prefixes.find((prefix) => `table ${prefix}` in tables);
  }
  return /^(.+)\.[^.]+$/.exec(name)?.[1];
}

function nameIn(table: string): string {
  return table.slice(table.indexOf(".") + 1);
}

/** A name as the catalog's functions write it, with the quotes that it needs, as the catalog has it. */
function unquoted(name: string | undefined): string | undefined {
  return name?.replaceAll(/"((?:[^"]|"")+)"/g, (_, inner: string) => inner.replaceAll('""', '"'));
}
