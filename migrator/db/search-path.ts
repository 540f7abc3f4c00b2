import { escapeIdentifier } from "pg";

/**
 * The search path of this program's own queries: the server's catalog and nothing else. In a schema in which an app's
 * role may create objects, that role could create an operator or a function that fits a query better than the catalog's
 * own, and it would run with the rights of the migration's role. Statements that are sent between those of a migration
 * run under the migration's path instead, and have every function, operator and type written with its schema.
 */
export const OWN_PATH = "SET search_path = pg_catalog, pg_temp";

/**
 * Returns the statement that sets the search path of a migration: the schema of the connection string and nothing else,
 * as Prisma sets it.
 */
export function migrationPath(schema: string): string {
  return `SET search_path = ${escapeIdentifier(schema)}`;
}
