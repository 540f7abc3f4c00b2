import type { Client } from "pg";

/**
 * Describes everything in a database but its rows, from the catalog: one line each, in a fixed order. Two databases that
 * have the same definitions give the same lines, whatever order they were made in. The call needs a transaction, of
 * which it changes settings.
 */
export async function definitionsOf(client: Client): Promise<string[]> {
  // An empty path makes the catalog's functions write every name with its schema.
  await client.query("SET LOCAL search_path = ''; SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'");
  const lines: string[] = [];
  for (const [kind, query] of Object.entries(definitions)) {
    const { rows } = await client.query<{ line: string }>(`SELECT line FROM (${query}) q ORDER BY line COLLATE "C"`);
    lines.push(...rows.map(({ line }) => `${kind} ${line}`));
  }
  return lines;
}

/** The condition that a schema is none of Postgres' own. */
export const own = (namespace: string) =>
  `${namespace} NOT IN (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname LIKE 'pg\\_%' OR nspname = 'information_schema')`;

const relation = (kinds: string) => `c.relkind IN (${kinds}) AND ${own("c.relnamespace")}`;

const definitions: Record<string, string> = {
  extension: "SELECT extname || ' ' || extversion AS line FROM pg_catalog.pg_extension",
  schema: `SELECT nspname || ' owner ' || nspowner::regrole || coalesce(' acl ' || nspacl::text, '') AS line
    FROM pg_catalog.pg_namespace n WHERE ${own("n.oid")}`,
  enum: `SELECT format('%s %s %s', enumtypid::regtype, enumsortorder, enumlabel) AS line FROM pg_catalog.pg_enum`,
  domain: `SELECT format('%s as %s not null %s default %s', t.oid::regtype, format_type(typbasetype, typtypmod), typnotnull, typdefault) AS line
    FROM pg_catalog.pg_type t WHERE typtype = 'd' AND ${own("typnamespace")}`,
  relation: `SELECT format('%s kind %s persistence %s owner %s row security %s acl %s options %s', c.oid::regclass, relkind,
      relpersistence, relowner::regrole, relrowsecurity, relacl, reloptions) AS line
    FROM pg_catalog.pg_class c WHERE ${relation("'r','p','v','m','S','f','c'")}`,
  column: `SELECT format('%s.%s %s %s not null %s default %s identity %s generated %s collation %s', c.oid::regclass, attname,
      row_number() OVER (PARTITION BY c.oid ORDER BY attnum), format_type(atttypid, atttypmod), attnotnull,
      pg_get_expr(adbin, adrelid), attidentity, attgenerated, nullif(attcollation, 0)::regcollation) AS line
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = attrelid
      LEFT JOIN pg_catalog.pg_attrdef d ON adrelid = attrelid AND adnum = attnum
    WHERE attnum > 0 AND NOT attisdropped AND ${relation("'r','p','v','m','f','c'")}`,
  sequence: `SELECT format('%s %s start %s increment %s min %s max %s cycle %s', s.seqrelid::regclass, seqtypid::regtype,
      seqstart, seqincrement, seqmin, seqmax, seqcycle) AS line
    FROM pg_catalog.pg_sequence s`,
  constraint: `SELECT format('%s on %s %s valid %s', conname, conrelid::regclass, pg_get_constraintdef(oid), convalidated) AS line
    FROM pg_catalog.pg_constraint WHERE ${own("connamespace")}`,
  index: `SELECT format('%s valid %s ready %s', pg_get_indexdef(indexrelid), indisvalid, indisready) AS line
    FROM pg_catalog.pg_index JOIN pg_catalog.pg_class c ON c.oid = indrelid WHERE ${own("c.relnamespace")}`,
  view: `SELECT format('%s as %s', c.oid::regclass, pg_get_viewdef(c.oid)) AS line FROM pg_catalog.pg_class c WHERE ${relation("'v','m'")}`,
  function: `SELECT CASE WHEN prokind = 'a' THEN oid::regprocedure::text ELSE pg_get_functiondef(oid) END
      || coalesce(' acl ' || proacl::text, '') AS line
    FROM pg_catalog.pg_proc WHERE ${own("pronamespace")}`,
  trigger: `SELECT pg_get_triggerdef(oid) || ' enabled ' || tgenabled::text AS line FROM pg_catalog.pg_trigger WHERE NOT tgisinternal`,
  policy: `SELECT format('%s on %s %s %s using %s check %s', polname, polrelid::regclass, polcmd, polpermissive,
      pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) AS line FROM pg_catalog.pg_policy`,
  comment: `SELECT format('%s is %L', pg_describe_object(classoid, objoid, objsubid), description) AS line
    FROM pg_catalog.pg_description d JOIN pg_catalog.pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_catalog.pg_class'::regclass
    WHERE ${own("c.relnamespace")}`,
};
