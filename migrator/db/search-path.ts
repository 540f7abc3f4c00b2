import { escapeIdentifier } from "pg";

/**
 * Where this program's own queries look for names: in the server's catalog and nowhere else. In a schema in which an app's role may
 * create things, that role could put an operator or a function that fits a query better than the catalog's own, and it would run with
 * the rights of the migration's role. Statements that are sent amid those of a migration are under the migration's path instead, and
 * have every function, operator and type written with its schema.
 */
export const OWN_PATH = "SET search_path = pg_catalog, pg_temp";

/** Where a migration looks for names: in the schema of the connection string and nowhere else, as Prisma sets it. */
export function migrationPath(schema: string): string {
  return `SET search_path = ${escapeIdentifier(schema)}`;
}
