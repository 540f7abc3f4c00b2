import type { Catalog } from "../../migrations/schema/expectation";
import type { Session } from "../db/connection";
import { OWN_PATH } from "../db/search-path";

/** An SQL condition that is true for a schema `n` of the app: neither the server's nor this program's own. */
export const OWN = "n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', '_release')";
/** Returns an SQL condition that is true for an object that belongs to no extension. */
export const NO_EXTENSION = (class_: string, oid: string) =>
  `NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = '${class_}'::regclass AND x.objid = ${oid} AND x.deptype = 'e')`;
/** An SQL condition that is true for a relation `c` of the app in its schema `n`. */
export const RELATION = `${OWN} AND c.relname <> '_prisma_migrations' AND ${NO_EXTENSION("pg_class", "c.oid")}`;

/** One query for each kind of object. Its columns are a key and a definition. */
export const CATALOG_QUERIES: readonly string[] = [
  `SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' ELSE 'table' END || ' ' || n.nspname || '.' || c.relname,
     CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) WHEN c.relkind = 'p' THEN 'PARTITION BY ' || pg_get_partkeydef(c.oid)
         || CASE WHEN c.relispartition THEN ' PARTITION ' || pg_get_expr(c.relpartbound, c.oid) ELSE '' END
       WHEN c.relispartition THEN 'PARTITION ' || pg_get_expr(c.relpartbound, c.oid) ELSE '' END || CASE WHEN c.relrowsecurity THEN ' ROW SECURITY' ELSE '' END
   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND ${RELATION}`,
  `SELECT 'column ' || n.nspname || '.' || c.relname || '.' || a.attname,
     format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
       || CASE WHEN a.attidentity <> '' THEN ' IDENTITY' ELSE '' END
       || coalesce(CASE WHEN a.attgenerated <> '' THEN ' GENERATED ' ELSE ' DEFAULT ' END || pg_get_expr(d.adbin, d.adrelid), '')
   FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
   WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f') AND ${RELATION}`,
  `SELECT 'constraint ' || n.nspname || '.' || c.relname || '.' || k.conname, pg_get_constraintdef(k.oid)
   FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE k.contype IN ('c', 'f', 'p', 'u', 'x') AND ${RELATION}`,
  `SELECT 'index ' || n.nspname || '.' || i.relname, pg_get_indexdef(i.oid) || CASE WHEN x.indisvalid THEN '' ELSE ' (INVALID)' END
   FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE ${RELATION}`,
  `SELECT 'type ' || n.nspname || '.' || t.typname, CASE t.typtype WHEN 'e'
       THEN 'ENUM (' || (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) || ')'
       WHEN 'd' THEN 'DOMAIN ' || format_type(t.typbasetype, t.typtypmod)
       WHEN 'r' THEN 'RANGE ' || (SELECT format_type(r.rngsubtype, NULL) FROM pg_range r WHERE r.rngtypid = t.oid)
       ELSE 'COMPOSITE (' || (SELECT string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
         FROM pg_attribute a WHERE a.attrelid = t.typrelid AND NOT a.attisdropped) || ')' END
   FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
   WHERE (t.typtype IN ('e', 'd', 'r') OR EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c')) AND ${OWN} AND ${NO_EXTENSION("pg_type", "t.oid")}`,
  `SELECT 'function ' || n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
     'md5 ' || md5(coalesce(p.prosrc, '') || coalesce(pg_get_function_result(p.oid), ''))
   FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.prokind <> 'a' AND ${OWN} AND ${NO_EXTENSION("pg_proc", "p.oid")}`,
  `SELECT 'trigger ' || n.nspname || '.' || c.relname || '.' || t.tgname, pg_get_triggerdef(t.oid) || CASE WHEN t.tgenabled = 'D' THEN ' (DISABLED)' ELSE '' END
   FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT t.tgisinternal AND ${RELATION}`,
  `SELECT 'policy ' || n.nspname || '.' || c.relname || '.' || p.polname,
     coalesce('USING ' || pg_get_expr(p.polqual, p.polrelid), '') || coalesce(' CHECK ' || pg_get_expr(p.polwithcheck, p.polrelid), '')
   FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${RELATION}`,
  "SELECT 'extension ' || extname, '' FROM pg_extension WHERE extname <> 'plpgsql'",
  `SELECT 'schema ' || n.nspname, '' FROM pg_namespace n WHERE ${OWN} AND n.nspname <> 'public' AND ${NO_EXTENSION("pg_namespace", "n.oid")}`,
];

/**
 * Reads the catalog at one instant, without waiting for locks of the app. System schemas, this program's own schema,
 * objects of extensions and `_prisma_migrations` are left out.
 */
export function readCatalog(session: Session): Promise<Catalog> {
  return readEntries(session, CATALOG_QUERIES);
}

/** Runs queries whose two columns are a key and a definition, and returns all their rows as one catalog. */
export async function readEntries(session: Session, queries: readonly string[]): Promise<Catalog> {
  const all = queries.map(
    (query, place) => `SELECT ${place} AS place, key::text, definition::text FROM (${query}) q (key, definition)`,
  );
  const catalog: Catalog = {};
  await session.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  try {
    // This search path makes Postgres write every name with its schema.
    await session.run(OWN_PATH);
    const rows = await session.rows<{ key: string; definition: string | null }>(
      `SELECT key, definition FROM (${all.join("\nUNION ALL\n")}) entries ORDER BY place, key COLLATE "C"`,
    );
    for (const { key, definition } of rows) catalog[key] = definition?.trim() ?? "";
  } finally {
    await session.run("ROLLBACK");
  }
  return catalog;
}
