import { Client } from "pg";

/** The content of a database at one moment, in parts that can be compared. */
export interface Picture {
  /** The columns, indexes, constraints, triggers, functions and types, as the catalog prints them. */
  schema: string;
  /** Every row of Prisma's migration history. */
  history: string;
  /** Every note up to the highest id at that moment. */
  rows: string;
  notes: number;
}

/**
 * Reads the database's content while the app keeps writing. With the `upTo` of an earlier picture, the highest id, both
 * pictures contain the same notes, because the app adds notes and changes none.
 */
export async function takePicture(url: string, upTo?: number): Promise<Picture & { upTo: number }> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const text = async (sql: string, values: unknown[] = []) => {
      const { rows } = await client.query<{ line: string }>(sql, values);
      return rows.map(({ line }) => line).join("\n");
    };
    const last = upTo ?? Number(await text("SELECT max(id)::text AS line FROM notes"));
    const picture = {
      schema: await text(SCHEMA),
      history: await text("SELECT h::text AS line FROM _prisma_migrations h ORDER BY started_at, id"),
      rows: await text("SELECT n::text AS line FROM notes n WHERE id <= $1 ORDER BY id", [last]),
      upTo: last,
    };
    return { ...picture, notes: picture.rows === "" ? 0 : picture.rows.split("\n").length };
  } finally {
    await client.end();
  }
}

/** The names of the parts that differ. */
export function differences(before: Picture, after: Picture): string[] {
  return (["schema", "history", "rows"] as const).filter((part) => before[part] !== after[part]);
}

const SCHEMA = `
  SELECT line FROM (
    SELECT format('column %s.%s %s null %s default %s', table_name, column_name, data_type, is_nullable, column_default) AS line
      FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT format('constraint %s on %s %s', conname, conrelid::regclass, pg_get_constraintdef(oid))
      FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'function ' || pg_get_functiondef(p.oid) FROM pg_proc p
      WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    UNION ALL SELECT format('enum %s %s', enumtypid::regtype, enumlabel) FROM pg_enum
  ) parts ORDER BY line`;
