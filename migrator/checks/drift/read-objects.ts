import type { Session } from "../../db/connection";
import { OWN_PATH } from "../../db/search-path";
import { type DriftObject, objectKey, type Snapshot } from "./object";
import { OBJECT_QUERIES } from "./queries";

/** The address of the schema `public`, which is always there and is compared by its grants alone. */
const PUBLIC = "pg_namespace:2200:0";

/**
 * Reads every object of the app at one instant, without waiting for locks of the app. System schemas, this program's own
 * schema, objects of extensions and `_prisma_migrations` are left out.
 */
export async function readObjects(session: Session): Promise<Snapshot> {
  await session.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  try {
    await session.run(OWN_PATH);
    return await readObjectsInTransaction(session);
  } finally {
    await session.run("ROLLBACK");
  }
}

/** Reads the objects in the session's transaction, whose search path must be {@link OWN_PATH}. */
export async function readObjectsInTransaction(session: Pick<Session, "rows">): Promise<Snapshot> {
  const all = OBJECT_QUERIES.map(
    (query, place) =>
      `SELECT ${place} AS place, address::text, parent::text, kind::text, "on"::text, name::text, facts, coalesce(uses::text[], '{}') AS uses FROM (${query}) q (address, parent, kind, "on", name, facts, uses)`,
  );
  const rows = await session.rows<DriftObject>(
    `SELECT address, parent, kind, "on", name, facts, uses FROM (${all.join("\nUNION ALL\n")}) objects ORDER BY place`,
  );
  // A comment or a grant on an object that is itself left out has nothing that it belongs to.
  const there = new Set(rows.map(({ address }) => address));
  const own = rows.filter(({ parent }) => parent === null || there.has(parent) || parent === PUBLIC);
  return new Map(own.map((row) => [objectKey(row), row]));
}
