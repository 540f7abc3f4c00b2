import { Client } from "pg";
import { definitionsOf, own } from "../../trial/definitions";

/**
 * Everything in a database as text: definitions from the catalog, then every row of every table. Two databases that
 * hold the same things give the same bytes, whatever order they were made in; read in one transaction. The position of
 * a sequence is left out: Postgres skips up to 32 values of it in any recovery, so also in a restored snapshot.
 */
export async function dumpDatabase(url: string): Promise<string> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const lines = await definitionsOf(client);
    const tables = await client.query<{ name: string }>(
      `SELECT c.oid::regclass::text AS name FROM pg_catalog.pg_class c WHERE c.relkind = 'r' AND ${own("c.relnamespace")} ORDER BY 1`,
    );
    for (const { name } of tables.rows) {
      const { rows } = await client.query<{ row: string }>(
        `SELECT t::text AS row FROM ${name} t ORDER BY t::text COLLATE "C"`,
      );
      lines.push(`rows of ${name}: ${rows.length}`, ...rows.map(({ row }) => row));
    }
    return `${lines.join("\n")}\n`;
  } finally {
    await client.end();
  }
}
