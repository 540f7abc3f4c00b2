import type { Session } from "./connection";
import { OWN_PATH } from "./search-path";

/**
 * Runs one of this program's own queries between the statements of a migration, outside of the migration's
 * transactions. The query has a transaction of its own, so that {@link OWN_PATH} holds for it only.
 */
export async function ownRows<Row>(session: Session, text: string, values: unknown[]): Promise<Row[]> {
  await session.run(`BEGIN; ${OWN_PATH}`);
  try {
    return await session.rows<Row>(text, values);
  } finally {
    if (session.lost === undefined) await session.run("ROLLBACK");
  }
}

/**
 * Finds the table, index or view that a migration's statement means by a name, under the migration's own search path.
 * @returns its OID; undefined: there is none
 */
export async function findRelation(session: Session, name: string): Promise<number | undefined> {
  const [row] = await session.rows<{ oid: number | null }>("SELECT pg_catalog.to_regclass($1)::pg_catalog.oid AS oid", [
    name,
  ]);
  return row?.oid ?? undefined;
}
