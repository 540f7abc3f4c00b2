/** What other tools make in the schemas of an app, by the kind of object, as patterns of names. */
const OBJECTS: Readonly<Record<string, readonly string[]>> = {
  table: [
    // AWS DMS, Debezium, pgbench, pg-osc.
    ...["awsdms_\\w+", "(debezium|dbz)_\\w+", "pgbench_\\w+", "pgosc_\\w+"],
    // The histories of other programs that migrate.
    ...["_?flyway_schema_history", "databasechangelog(lock)?", "schema_migrations", "ar_internal_metadata"],
    ...["knex_migrations(_lock)?", "__drizzle_migrations", "_sqlx_migrations", "alembic_version", "goose_db_version"],
    ...["pgmigrations", "sequelizemeta", "typeorm_metadata", "django_migrations", "__efmigrationshistory"],
  ],
  // AWS DMS.
  function: ["awsdms_\\w+\\(.*"],
  // Hasura's event triggers, TimescaleDB, pgroll, pg_repack, Bucardo.
  trigger: [
    "notify_hasura_.+",
    "ts_insert_blocker",
    "ts_cagg_\\w+",
    "_pgroll_\\w+",
    "z?_?repack_trigger",
    "bucardo_\\w+",
  ],
};

/**
 * The schemas that belong to a tool also where the history makes them, as patterns of names: pg_partman with its template
 * tables, pg_cron, PostGIS, TimescaleDB with its chunks, Hasura, pglogical, pgroll, pg_repack, Bucardo.
 */
const SCHEMAS = [
  ...["partman", "cron", "topology", "tiger(_data)?", "_?timescaledb_\\w+", "hdb_(catalog|views|lib)"],
  ...["pglogical", "pgroll", "repack", "bucardo"],
];

const matching = (patterns: readonly string[]) => new RegExp(`^(${patterns.join("|")})$`, "is");
const BY_KIND = new Map(Object.entries(OBJECTS).map(([kind, patterns]) => [kind, matching(patterns)]));
const SCHEMA = matching(SCHEMAS);

/** Returns true for an object that another tool makes for itself. The name has no schema and no quotes. */
export function isToolObject(kind: string, name: string): boolean {
  return BY_KIND.get(kind)?.test(name) ?? false;
}

/** Returns true for a schema that belongs to another tool. The name has no quotes. */
export function isToolSchema(name: string): boolean {
  return SCHEMA.test(name);
}
