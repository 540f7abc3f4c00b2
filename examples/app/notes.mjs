import pg from "pg";

/**
 * The notes in Postgres. Every statement works with the schema before and after each migration, because during a
 * rolling update old and new pods use both. Rows are read with all columns, and columns that a schema lacks get a
 * default. A write with a column that the schema does not have yet, or no longer, is retried with its other name.
 */
export class Notes {
  #pool;
  #healthPool;
  /** The subject's column as last seen: "title" before the expand migration, "subject" after it. */
  #column = "subject";

  /**
   * @param {string} databaseUrl a URL in Prisma's format; `schema` and `connection_limit` (default 5) are applied
   */
  constructor(databaseUrl) {
    const { connectionString, schema, limit } = parseUrl(databaseUrl);
    const common = {
      connectionString,
      keepAlive: true,
      ...(schema === undefined ? {} : { options: `-c search_path="${schema.replaceAll('"', '""')}"` }),
    };
    // The times are longer than a migration's lock_timeout, so that a request waits for a migration and does not fail.
    this.#pool = new pg.Pool({ ...common, max: limit, connectionTimeoutMillis: 10_000, query_timeout: 15_000 });
    // The health check has its own connection, so that a pod whose other connections wait for a lock counts as healthy.
    this.#healthPool = new pg.Pool({ ...common, max: 1, connectionTimeoutMillis: 1_000, query_timeout: 1_000 });
    for (const pool of [this.#pool, this.#healthPool]) {
      // An idle connection that breaks is replaced at the next query; without a listener it would end the process.
      pool.on("error", (error) => console.error(`lost an idle database connection: ${error.message}`));
    }
  }

  /** The notes, the newest first. */
  async list(limit = 50) {
    const { rows } = await this.#pool.query("SELECT * FROM notes ORDER BY created_at DESC, id DESC LIMIT $1", [limit]);
    return rows.map(toNote);
  }

  async create({ subject, body }) {
    const insert = (column) =>
      this.#pool.query(`INSERT INTO notes (${column}, body) VALUES ($1, $2) RETURNING *`, [subject, body]);
    // The column is kept for this call, because another request may change the field in the meantime.
    const column = this.#column;
    try {
      const { rows } = await insert(column);
      return toNote(rows[0]);
    } catch (error) {
      if (error.code !== UNDEFINED_COLUMN) throw error;
      const other = column === "subject" ? "title" : "subject";
      const { rows } = await insert(other);
      this.#column = other;
      return toNote(rows[0]);
    }
  }

  /**
   * The name of the last migration in the database; null before the first one. It returns or throws within about two
   * seconds, even if the database is not available.
   */
  async schemaVersion() {
    try {
      const { rows } = await this.#healthPool.query(
        `SELECT migration_name FROM _prisma_migrations
         WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL
         ORDER BY migration_name DESC LIMIT 1`,
      );
      return rows[0]?.migration_name ?? null;
    } catch (error) {
      if (error.code === UNDEFINED_TABLE) return null;
      throw error;
    }
  }

  async close() {
    await Promise.all([this.#pool.end(), this.#healthPool.end()]);
  }
}

const UNDEFINED_COLUMN = "42703";
const UNDEFINED_TABLE = "42P01";

function toNote(row) {
  return {
    id: row.id,
    subject: row.subject ?? row.title,
    body: row.body,
    pinned: row.pinned ?? false,
    state: row.state ?? "open",
    createdAt: row.created_at,
  };
}

/** Removes the parameters from the URL that only Prisma understands. */
function parseUrl(databaseUrl) {
  const url = new URL(databaseUrl);
  const schema = url.searchParams.get("schema") ?? undefined;
  const limit = Number(url.searchParams.get("connection_limit") ?? 5);
  for (const name of ["schema", "connection_limit", "pool_timeout", "pgbouncer"]) url.searchParams.delete(name);
  return { connectionString: url.href, schema, limit };
}
