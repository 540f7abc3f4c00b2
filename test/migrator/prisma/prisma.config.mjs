import { join } from "node:path";
import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";

/**
 * Prisma 6.19 without its native engines, for the interchange tests: the JavaScript engine over the adapter for pg. It knows no column of the
 * types `name` and `char` (prisma/orm#27403), so that the pool reports them as text.
 */
const AS_TEXT = { 18: 25, 19: 25, 1002: 1009, 1003: 1009 };

export default {
  experimental: { adapter: true },
  engine: "js",
  schema: join(import.meta.dirname, "schema.prisma"),
  migrations: { path: process.env.MIGRATIONS },
  async adapter() {
    const url = process.env.DATABASE_URL ?? "";
    const schema = new URL(url).searchParams.get("schema") ?? "public";
    const pool = new pg.Pool({ connectionString: url, options: `-c search_path="${schema}"` });
    const query = pool.query.bind(pool);
    pool.query = async (...values) => {
      const result = await query(...values);
      for (const field of result.fields ?? []) field.dataTypeID = AS_TEXT[field.dataTypeID] ?? field.dataTypeID;
      return result;
    };
    return new PrismaPg(pool, { schema, disposeExternalPool: true });
  },
};
