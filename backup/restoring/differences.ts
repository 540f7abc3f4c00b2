import type { Session } from "../../migrator/db/connection";

/** Something that the source has and its copy lacks, or has otherwise. */
export interface DatabaseDifference {
  readonly parameter: string;
  readonly source: string;
  readonly copy: string;
  readonly note?: string;
}

/** Something that both databases are asked for; each row is a name and a value. */
interface Aspect {
  readonly sql: string;
  /** Whether the values may be secret, such as those of settings: then they are hashes, and not shown. */
  readonly hidden?: true;
  readonly note?: (name: string, copy: string) => string;
}

/** What is compared. Everything else is in the dump, and pg_restore says where it failed. */
const ASPECTS: readonly Aspect[] = [
  {
    sql: `SELECT 'owner' AS name, r.rolname::text AS value FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba WHERE d.datname = current_database()
      UNION ALL SELECT 'grants', coalesce(array_to_string(d.datacl, ' '), '(none)') FROM pg_database d WHERE d.datname = current_database()
      UNION ALL SELECT 'encoding', pg_encoding_to_char(encoding)::text FROM pg_database WHERE datname = current_database()
      UNION ALL SELECT 'collation', datcollate::text FROM pg_database WHERE datname = current_database()
      UNION ALL SELECT 'connection limit', datconnlimit::text FROM pg_database WHERE datname = current_database()`,
    note: (name, copy) =>
      name === "owner"
        ? `what was restored belongs to the migration's role; ALTER DATABASE ${copy} OWNER TO … gives the database back`
        : name === "grants"
          ? "GRANT … ON DATABASE is not in a dump"
          : "",
  },
  {
    // The settings of all roles in this database, and of each role.
    sql: `SELECT 'setting ' || split_part(c, '=', 1) || coalesce(' of role ' || r.rolname, '') AS name,
        md5(substr(c, strpos(c, '=') + 1)) AS value
      FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) c
      WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    hidden: true,
    note: (_, copy) => `ALTER DATABASE ${copy} SET … (or ALTER ROLE … IN DATABASE) is not in a dump`,
  },
  {
    sql: "SELECT 'extension ' || extname AS name, extversion::text AS value FROM pg_extension",
    note: () => "",
  },
  {
    sql: "SELECT 'event trigger ' || evtname AS name, 'present' AS value FROM pg_event_trigger WHERE evtevent <> ''",
  },
  { sql: "SELECT 'publication ' || pubname AS name, 'present' AS value FROM pg_publication" },
  {
    // Only a superuser may read the subscriptions themselves; their names are not secret.
    sql: `SELECT 'subscription ' || subname AS name, 'present' AS value FROM pg_subscription
      WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    note: () => "it would take the changes away from the source, so it is never restored",
  },
];

const ABSENT = "-";

/** Compares a copy with its source, in what a dump doesn't contain or what a role may not be allowed to make. */
export async function databaseDifferences(source: Session, copy: Session): Promise<DatabaseDifference[]> {
  const found: DatabaseDifference[] = [];
  for (const { sql, note, hidden } of ASPECTS) {
    const [there, here] = [await read(source, sql), await read(copy, sql)];
    for (const name of new Set([...there.keys(), ...here.keys()])) {
      const [wanted, got] = [there.get(name) ?? ABSENT, here.get(name) ?? ABSENT];
      const why = note?.(name, copy.target.database) ?? "";
      if (wanted === got) continue;
      const shown = (value: string) => (hidden && value !== ABSENT ? "set" : value);
      const other = hidden && wanted !== ABSENT && got !== ABSENT ? "set to another value" : shown(got);
      found.push({ parameter: name, source: shown(wanted), copy: other, ...(why === "" ? {} : { note: why }) });
    }
  }
  return found;
}

async function read(session: Session, sql: string): Promise<Map<string, string>> {
  try {
    const rows = await session.rows<{ name: string; value: string }>(sql);
    return new Map(rows.map(({ name, value }) => [name, value]));
  } catch (error) {
    // A catalog that the role may not read is compared with nothing.
    if ((error as { code?: string }).code !== "42501") throw error;
    return new Map();
  }
}
