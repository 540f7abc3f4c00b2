import { quoteName } from "../records/history-table";
import type { Session } from "./connection";

/**
 * Where this program's own queries look for names: in the server's catalog and nowhere else. In a schema in which an app's role may
 * create things, that role could put an operator or a function that fits a query better than the catalog's own, and it would run with
 * the rights of the migration's role. Statements that are sent amid those of a migration are under the migration's path instead, and
 * have every function, operator and type written with its schema.
 */
export const OWN_PATH = "SET search_path = pg_catalog, pg_temp";

/** Where a migration looks for names: in the schema of the connection string and nowhere else, as Prisma sets it. */
export function migrationPath(schema: string): string {
  return `SET search_path = ${quoteName(schema)}`;
}

/** One of this program's own queries between the statements of a migration, outside of a transaction: under {@link OWN_PATH} all the same. */
export async function ownRows<Row>(session: Session, text: string, values: unknown[]): Promise<Row[]> {
  await session.run(`BEGIN; ${OWN_PATH}`);
  try {
    return await session.rows<Row>(text, values);
  } finally {
    if (session.lost === undefined) await session.run("ROLLBACK");
  }
}

/** The table, index or view that a migration's statement means by a name, found under the migration's own path; undefined = there is none. */
export async function findRelation(session: Session, name: string): Promise<number | undefined> {
  const [row] = await session.rows<{ oid: number | null }>("SELECT pg_catalog.to_regclass($1)::pg_catalog.oid AS oid", [
    name,
  ]);
  return row?.oid ?? undefined;
}
