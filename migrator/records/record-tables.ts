import { escapeIdentifier } from "pg";
import type { Session } from "../db/connection";
import { ForeignRecords } from "../failures/history";
import type { HistoryTable } from "./history-table";

/**
 * A table, or the schema, that this program writes to with its own role's rights, and what another role may control in
 * it.
 */
interface Suspect {
  name: string;
  owner: string;
  /** True if the owner is this role, a role that it is a member of, or a superuser. */
  own: boolean;
  /** The `relkind` in pg_class; null for the schema. */
  kind: string | null;
  triggers: string[];
  rules: string[];
  /** The functions, operators and types of others that its defaults, constraints and indexes use. */
  uses: string[];
  filtered: boolean;
}

/**
 * Refuses to read or write the history and the records if another role decides what that does. A view, a trigger, a
 * rule or a function would run with the rights of the migration's role, and so would what its owner adds later. A
 * superuser counts as a member of no other role, because every other owner could gain a superuser's rights in this way.
 * @param onlyReads true if the tables may be another role's where this role has nothing that their owner could gain: it
 *   has no attribute, owns nothing here, and is a member of no role but those that watch the server. Default: false.
 * @throws ForeignRecords, which names each such object and its owner
 */
export async function refuseForeignRecords(session: Session, table: HistoryTable, onlyReads = false): Promise<void> {
  const suspects = await session.rows<Suspect>(
    `WITH RECURSIVE mine (oid) AS (
       SELECT oid FROM pg_roles WHERE rolname IN (current_user, session_user)
       UNION SELECT m.roleid FROM pg_auth_members m JOIN mine ON m.member = mine.oid
     ), reader (may) AS (
       SELECT $2 AND NOT (r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls)
         AND NOT EXISTS (SELECT FROM pg_class c WHERE c.relowner = r.oid) AND NOT EXISTS (SELECT FROM mine JOIN pg_roles m ON m.oid = mine.oid
           WHERE m.oid <> r.oid AND m.rolname NOT IN ('pg_monitor', 'pg_read_all_settings', 'pg_read_all_stats', 'pg_stat_scan_tables'))
       FROM pg_roles r WHERE r.rolname = session_user
     ), found AS (
       SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name, c.relowner AS owner, c.relkind AS kind
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE (n.nspname = $1 AND c.relname = '_prisma_migrations') OR (n.nspname = '_release' AND c.relname IN ('step', 'audit', 'record'))
       UNION ALL SELECT NULL, nspname, nspowner, NULL FROM pg_namespace WHERE nspname = '_release'
     ), parts (oid, classid, objid) AS (
       SELECT oid, 'pg_class'::regclass, oid FROM found
       UNION ALL SELECT found.oid, 'pg_class'::regclass, i.indexrelid FROM found JOIN pg_index i ON i.indrelid = found.oid
       UNION ALL SELECT found.oid, 'pg_attrdef'::regclass, d.oid FROM found JOIN pg_attrdef d ON d.adrelid = found.oid
       UNION ALL SELECT found.oid, 'pg_constraint'::regclass, k.oid FROM found JOIN pg_constraint k ON k.conrelid = found.oid
     )
     SELECT f.name, pg_get_userbyid(f.owner) AS owner, f.kind::text AS kind,
       f.owner IN (SELECT oid FROM mine) OR EXISTS (SELECT FROM pg_roles r WHERE r.oid = f.owner AND r.rolsuper)
         OR (SELECT may FROM reader) AS own,
       ARRAY(SELECT tgname::text FROM pg_trigger WHERE tgrelid = f.oid AND NOT tgisinternal ORDER BY 1) AS triggers,
       ARRAY(SELECT rulename::text FROM pg_rewrite WHERE ev_class = f.oid AND rulename <> '_RETURN' ORDER BY 1) AS rules,
       -- What belongs to the server itself is pinned, and has no entries.
       ARRAY(SELECT DISTINCT pg_describe_object(d.refclassid, d.refobjid, 0) FROM parts p
         JOIN pg_depend d ON d.classid = p.classid AND d.objid = p.objid
         WHERE p.oid = f.oid AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass) ORDER BY 1) AS uses,
       coalesce(row_security_active(f.oid), false) AS filtered
     FROM found f ORDER BY f.kind NULLS FIRST, f.name`,
    [table.schema, onlyReads],
  );
  const evidence = suspects.flatMap((each) => problemsOf(each).map((problem) => `  ${each.name} ${problem}`));
  if (evidence.length === 0) return;
  const [first] = suspects.filter((each) => problemsOf(each).length > 0) as [Suspect];
  throw new ForeignRecords(first.name, evidence, remedy(first, session.target.user));
}

const KINDS: Record<string, string> = { v: "a view", m: "a materialized view", f: "a foreign table", p: "partitioned" };

function problemsOf({ own, owner, kind, triggers, rules, uses, filtered }: Suspect): string[] {
  const of = `, and belongs to ${owner}`;
  return [
    ...(own ? [] : [`belongs to ${owner}`]),
    ...(kind === null || kind === "r" ? [] : [`is ${KINDS[kind] ?? "no table"}${of}`]),
    ...(triggers.length === 0 ? [] : [`has the trigger ${triggers.join(", ")}${of}`]),
    ...(rules.length === 0 ? [] : [`has the rule ${rules.join(", ")}${of}`]),
    ...(uses.length === 0 ? [] : [`uses ${uses.join(", ")}${of}`]),
    ...(filtered ? [`has row level security, which hides rows from this role${of}`] : []),
  ];
}

function remedy({ name, own, kind, triggers, rules, uses, filtered, owner }: Suspect, user: string): string {
  const role = escapeIdentifier(user);
  if (!own)
    return `find out who made ${name}; if it is yours, as ${owner} or a superuser: ALTER ${kind === null ? "SCHEMA" : "TABLE"} ${name} OWNER TO ${role}`;
  if (triggers.length > 0) return `find out who made it, then: DROP TRIGGER "${triggers[0]}" ON ${name}`;
  if (rules.length > 0) return `find out who made it, then: DROP RULE "${rules[0]}" ON ${name}`;
  if (filtered) return `ALTER TABLE ${name} OWNER TO ${role}, whom its policies then don't concern`;
  if (uses.length > 0) return `find out who put ${uses[0]} into ${name}, and take it out`;
  return `find out who put it in the place of the table ${name}, and put the table back`;
}
