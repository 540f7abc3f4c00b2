import type { Session } from "../../db/connection";
import type { HistoryTable } from "../../records/history-table";
import type { DriftFinding } from "./findings";
import type { DriftObject } from "./object";
import type { Managed } from "./outside";

/** The owners of objects that have one of their own. The columns are an address and an owner. */
const OWNERS = [
  "SELECT 'pg_class:' || oid || ':0', relowner FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')",
  ...[
    ["pg_proc", "proowner"],
    ["pg_type", "typowner"],
    ["pg_namespace", "nspowner"],
    ["pg_extension", "extowner"],
    ["pg_statistic_ext", "stxowner"],
  ].map(([catalog, owner]) => `SELECT '${catalog}:' || oid || ':0', ${owner} FROM ${catalog}`),
];

/** The transactions that wrote the rows of the catalog that an object consists of. The columns are an address and an xmin. */
const WRITERS = [
  ...["pg_class", "pg_proc", "pg_type", "pg_namespace", "pg_extension", "pg_statistic_ext", "pg_constraint"],
  ...["pg_rewrite", "pg_trigger", "pg_policy"],
]
  .map((catalog) => `SELECT '${catalog}:' || oid || ':0', xmin FROM ${catalog}`)
  .concat([
    "SELECT 'pg_class:' || attrelid || ':' || attnum, xmin FROM pg_attribute WHERE attnum > 0",
    "SELECT 'pg_class:' || adrelid || ':' || adnum, xmin FROM pg_attrdef",
    "SELECT 'pg_class:' || ev_class || ':0', xmin FROM pg_rewrite",
    "SELECT 'pg_class:' || indexrelid || ':0', xmin FROM pg_index",
    "SELECT 'pg_class:' || seqrelid || ':0', xmin FROM pg_sequence",
    "SELECT 'pg_type:' || enumtypid || ':0', xmin FROM pg_enum",
  ]);

/** A finding with the object that it is about. */
interface Found {
  readonly finding: DriftFinding;
  readonly object: DriftObject;
}

/**
 * Adds to the differences who made them and when, as far as the server knows. The role of the history's own table is left
 * out, because migrations have it too.
 */
export async function withOrigins<R extends { readonly differences: readonly DriftFinding[] }>(
  { session, table }: { readonly session: Session; readonly table: HistoryTable },
  { expected, actual }: Managed,
  report: R,
): Promise<R> {
  const all = report.differences.map((finding) => ({
    finding,
    object: (actual.get(finding.key) ?? expected.get(finding.key))!,
  }));
  const live = all.filter(({ finding }) => finding.change !== "missing");
  if (all.length === 0) return report;
  const owners = await ownersOf(session, table, live);
  const times = await timesOf(session, live);
  const roles = await rolesOf(session, table, all);
  const differences = all.map(({ finding, object: { address } }): DriftFinding => {
    const by = roles.get(finding.key) ?? (finding.change === "added" ? owners.get(address) : undefined);
    const at = finding.change === "missing" ? undefined : times.get(address);
    return { ...finding, ...(by === undefined ? {} : { by }), ...(at === undefined ? {} : { at }) };
  });
  return { ...report, differences };
}

const addressesOf = (found: readonly Found[]) => found.flatMap(({ object }) => object.address ?? []);

async function ownersOf(session: Session, table: HistoryTable, found: readonly Found[]): Promise<Map<string, string>> {
  const rows = await session.rows<{ address: string; owner: string }>(
    `SELECT address, pg_get_userbyid(owner) AS owner FROM (${OWNERS.join(" UNION ALL ")}) o (address, owner)
     WHERE address = ANY ($1) AND owner <> (SELECT relowner FROM pg_class WHERE oid = to_regclass($2))`,
    [addressesOf(found), table.name],
  );
  return new Map(rows.map(({ address, owner }) => [address, owner]));
}

async function timesOf(session: Session, found: readonly Found[]): Promise<Map<string, string>> {
  const [row] = await session.rows<{ kept: boolean }>("SELECT current_setting('track_commit_timestamp')::bool AS kept");
  if (!row!.kept) return new Map();
  const rows = await session.rows<{ address: string; at: Date | null }>(
    `SELECT address, max(pg_xact_commit_timestamp(writer)) AS at FROM (${WRITERS.join(" UNION ALL ")}) w (address, writer)
     WHERE address = ANY ($1) GROUP BY address`,
    [addressesOf(found)],
  );
  return new Map(rows.flatMap(({ address, at }) => (at === null ? [] : [[address, at.toISOString()]])));
}

/** A word of a statement's text, as a pattern of Postgres that is SQL itself. */
const word = (name: string) => `('\\m' || regexp_replace(${name}, '(\\W)', '\\\\\\1', 'g') || '\\M')`;

/**
 * Returns the roles whose statements name the objects, by their keys, where it is one role only. No text of a statement is
 * returned, because it may hold secrets.
 */
async function rolesOf(session: Session, table: HistoryTable, found: readonly Found[]): Promise<Map<string, string>> {
  const [extension] = await session.rows<{ schema: string }>(
    "SELECT quote_ident(n.nspname) AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'pg_stat_statements'",
  );
  if (!extension) return new Map();
  try {
    const rows = await session.rows<{ key: string; role: string }>(
      `SELECT f.key, min(r.rolname) AS role FROM unnest($1::text[], $2::text[], $3::text[]) f (key, name, part)
         JOIN ${extension.schema}.pg_stat_statements s ON s.query ~* '^\\s*(create|alter|drop|comment|grant|revoke|refresh|reindex)\\M'
           AND s.query ~* ${word("f.name")} AND s.query ~* ${word("f.part")}
         JOIN pg_roles r ON r.oid = s.userid
       WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
         AND s.userid <> (SELECT relowner FROM pg_class WHERE oid = to_regclass($4))
       GROUP BY f.key HAVING count(DISTINCT s.userid) = 1`,
      [
        found.map(({ finding }) => finding.key),
        found.map(({ object: { on, name } }) => lastName(on ?? name)),
        found.map(({ object: { name } }) => lastName(name)),
        table.name,
      ],
    );
    return new Map(rows.map(({ key, role }) => [key, role]));
  } catch (error) {
    if (session.lost !== undefined) throw error;
    // The extension is installed, but it isn't loaded (shared_preload_libraries), or this role may not read it.
    return new Map();
  }
}

/** Returns the last part of a name as it stands in a catalog: without schema, arguments and quotes. */
function lastName(name: string): string {
  const [last = name] = /(?:"(?:[^"]|"")+"|[^".]+)$/.exec(name.replace(/\(.*$/s, "")) ?? [];
  return last.replace(/^"(.*)"$/s, "$1").replaceAll('""', '"');
}
