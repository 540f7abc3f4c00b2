import { NO_EXTENSION, OWN, RELATION } from "../catalog";

const RELATION_NAME = "format('%I.%I', n.nspname, c.relname)";
const RELATIONS = "pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace";
const address = (catalog: string, oid: string, column = "0") => `'${catalog}:' || ${oid} || ':' || ${column}`;
const TABLE = address("pg_class", "c.oid");

/** Writes options such as `fillfactor=70` sorted, so that their order doesn't matter. */
const OPTIONS = "(SELECT jsonb_agg(o ORDER BY o) FROM unnest(c.reloptions) o)";

const SEQUENCE = `'type', format_type(s.seqtypid, NULL), 'start', s.seqstart::text, 'increment', s.seqincrement::text,
  'minimum', s.seqmin::text, 'maximum', s.seqmax::text, 'cache', s.seqcache::text, 'cycle', s.seqcycle`;

const IDENTITY_OPTIONS = `(SELECT jsonb_build_array('INCREMENT BY ' || s.seqincrement, 'MINVALUE ' || s.seqmin, 'MAXVALUE ' || s.seqmax,
    'START WITH ' || s.seqstart, 'CACHE ' || s.seqcache, CASE WHEN s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END)
  FROM pg_depend d JOIN pg_sequence s ON s.seqrelid = d.objid WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.refobjid = c.oid AND d.refobjsubid = a.attnum AND d.deptype = 'i')`;

const FUNCTION_NAME = "format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))";
const FUNCTIONS = `pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace`;
/** A range type has functions of its own, which come and go with it. */
const OWN_FUNCTION = `${OWN} AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_proc'::regclass AND x.objid = p.oid AND x.deptype IN ('e', 'i'))`;

/** The tables that a function's body (BEGIN ATOMIC), arguments or result need. */
const FUNCTION_USES = `(SELECT array_agg(DISTINCT r.oid::regclass::text) FROM pg_class r WHERE r.relkind IN ('r', 'p', 'v', 'm') AND (
    r.reltype = p.prorettype OR r.reltype = ANY (p.proargtypes) OR r.oid IN
      (SELECT d.refobjid FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_class'::regclass)))`;

const VIEW_USES = `(SELECT array_agg(DISTINCT d.refobjid::regclass::text) FROM pg_rewrite w JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass
    AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass WHERE w.ev_class = c.oid AND d.refobjid <> c.oid)`;

/**
 * Returns a query for the rights on a kind of object that its owner and the server's defaults don't give.
 * @param type the kind in `pg_default_acl`, as SQL
 */
function grants(kind: string, type: string, fields: Record<"address" | "name" | "acl" | "owner" | "from", string>) {
  const explode = `aclexplode(coalesce(${fields.acl}, acldefault(lower(${type})::"char", ${fields.owner})))`;
  return `SELECT NULL, ${fields.address}, 'grant', ${kind} || ' ' || ${fields.name}, CASE e.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(e.grantee)) END,
    jsonb_build_object('privileges', jsonb_agg(e.privilege_type || CASE WHEN e.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END ORDER BY e.privilege_type)), NULL
  FROM ${fields.from} CROSS JOIN LATERAL (SELECT * FROM ${explode} x WHERE x.grantee <> ${fields.owner}
    -- Rights that this database gives by default to whatever is made are not given to one object by hand.
    AND NOT EXISTS (SELECT FROM pg_default_acl f, aclexplode(f.defaclacl) y WHERE f.defaclobjtype = ${type}
      AND y.grantee = x.grantee AND y.grantee <> 0 AND y.privilege_type = x.privilege_type)) e
  WHERE`;
}

/**
 * One query for each kind of object. Its columns are those of `DriftObject`, in their order. The names in `facts` are
 * what a report calls a property.
 */
export const OBJECT_QUERIES: readonly string[] = [
  `SELECT ${address("pg_namespace", "n.oid")}, NULL, 'schema', NULL, quote_ident(n.nspname), '{}'::jsonb, NULL
   FROM pg_namespace n WHERE ${OWN} AND n.nspname <> 'public' AND ${NO_EXTENSION("pg_namespace", "n.oid")}`,
  `SELECT ${address("pg_extension", "x.oid")}, NULL, 'extension', NULL, quote_ident(x.extname), jsonb_build_object('schema', quote_ident(n.nspname)), NULL
   FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace WHERE x.extname <> 'plpgsql'`,
  `SELECT ${address("pg_type", "t.oid")}, NULL, CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'r' THEN 'range type' ELSE 'composite type' END,
     NULL, format('%I.%I', n.nspname, t.typname), CASE t.typtype
       WHEN 'e' THEN jsonb_build_object('values', (SELECT jsonb_agg(quote_literal(e.enumlabel) ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid))
       WHEN 'd' THEN jsonb_build_object('type', format_type(t.typbasetype, t.typtypmod), 'default', t.typdefault, 'not null', t.typnotnull)
       WHEN 'r' THEN jsonb_build_object('subtype', (SELECT format_type(r.rngsubtype, NULL) FROM pg_range r WHERE r.rngtypid = t.oid))
       ELSE jsonb_build_object('attributes', (SELECT jsonb_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum)
         FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)) END, NULL
   FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
   WHERE (t.typtype IN ('e', 'd', 'r') OR EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c')) AND ${OWN} AND ${NO_EXTENSION("pg_type", "t.oid")}`,
  `SELECT ${address("pg_constraint", "k.oid")}, ${address("pg_type", "t.oid")}, 'domain constraint', format('%I.%I', n.nspname, t.typname), quote_ident(k.conname),
     jsonb_build_object('definition', pg_get_constraintdef(k.oid)), NULL
   FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid JOIN pg_namespace n ON n.oid = t.typnamespace
   WHERE k.contype = 'c' AND ${OWN} AND ${NO_EXTENSION("pg_type", "t.oid")}`,
  `SELECT ${TABLE}, NULL, 'sequence', NULL, ${RELATION_NAME}, jsonb_build_object(${SEQUENCE}), NULL
   FROM pg_sequence s JOIN ${RELATIONS} ON c.oid = s.seqrelid WHERE ${RELATION}
     AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'i')`,
  `SELECT NULL, ${address("pg_class", "d.refobjid")}, 'owner of sequence', NULL, ${RELATION_NAME}, jsonb_build_object('column', d.refobjid::regclass::text || '.' || quote_ident(a.attname)), NULL
   FROM pg_depend d JOIN pg_class c ON c.oid = d.objid JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
   WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'a' AND c.relkind = 'S' AND ${RELATION}`,
  `SELECT ${address("pg_proc", "p.oid")}, NULL, CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, NULL, ${FUNCTION_NAME},
     jsonb_build_object('definition', pg_get_functiondef(p.oid), 'arguments', pg_get_function_arguments(p.oid), 'result', pg_get_function_result(p.oid)), ${FUNCTION_USES}
   FROM ${FUNCTIONS} WHERE p.prokind <> 'a' AND ${OWN_FUNCTION}`,
  `SELECT ${address("pg_proc", "p.oid")}, NULL, 'aggregate', NULL, ${FUNCTION_NAME}, jsonb_build_object('definition', concat_ws(', ', 'SFUNC = ' || g.aggtransfn::text,
     'STYPE = ' || g.aggtranstype::regtype::text, 'FINALFUNC = ' || nullif(g.aggfinalfn::text, '-'), 'INITCOND = ' || quote_literal(g.agginitval))), NULL
   FROM ${FUNCTIONS} JOIN pg_aggregate g ON g.aggfnoid = p.oid WHERE ${OWN_FUNCTION}`,
  `SELECT ${TABLE}, NULL, CASE c.relkind WHEN 'f' THEN 'foreign table' ELSE 'table' END, NULL, ${RELATION_NAME}, jsonb_build_object(
     'unlogged', c.relpersistence = 'u', 'partition by', CASE c.relkind WHEN 'p' THEN pg_get_partkeydef(c.oid) END,
     'inherits', (SELECT jsonb_agg(i.inhparent::regclass::text ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = c.oid AND NOT c.relispartition),
     'partition of', (SELECT i.inhparent::regclass::text FROM pg_inherits i WHERE i.inhrelid = c.oid AND c.relispartition),
     'bound', CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END, 'options', ${OPTIONS},
     'row security', c.relrowsecurity, 'forced row security', c.relforcerowsecurity), NULL
   FROM ${RELATIONS} WHERE c.relkind IN ('r', 'p', 'f') AND ${RELATION}`,
  `SELECT ${address("pg_class", "c.oid", "a.attnum")}, ${TABLE}, 'column', ${RELATION_NAME}, quote_ident(a.attname), jsonb_build_object(
     'type', format_type(a.atttypid, a.atttypmod),
     'collation', (SELECT format('%I.%I', m.nspname, l.collname) FROM pg_collation l JOIN pg_namespace m ON m.oid = l.collnamespace WHERE l.oid = a.attcollation AND a.attcollation <> t.typcollation),
     'not null', a.attnotnull, 'default', CASE a.attgenerated WHEN '' THEN pg_get_expr(d.adbin, d.adrelid) END,
     'identity', CASE a.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END, 'identity options', ${IDENTITY_OPTIONS},
     'generated', CASE a.attgenerated WHEN '' THEN NULL ELSE pg_get_expr(d.adbin, d.adrelid) END,
     'kept', CASE a.attgenerated WHEN 's' THEN 'STORED' WHEN 'v' THEN 'VIRTUAL' END,
     'storage', CASE WHEN a.attstorage <> t.typstorage THEN CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END), NULL
   FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid JOIN ${RELATIONS} ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
   WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f') AND a.attislocal AND NOT c.relispartition AND ${RELATION} ORDER BY a.attrelid, a.attnum`,
  `SELECT ${address("pg_constraint", "k.oid")}, ${TABLE}, CASE k.contype WHEN 'f' THEN 'foreign key' ELSE 'constraint' END, ${RELATION_NAME}, quote_ident(k.conname),
     jsonb_build_object('definition', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''), 'not valid', NOT k.convalidated), NULL
   FROM pg_constraint k JOIN ${RELATIONS} ON c.oid = k.conrelid WHERE k.contype IN ('c', 'f', 'p', 'u', 'x') AND k.conparentid = 0 AND k.conislocal AND ${RELATION}`,
  `SELECT ${address("pg_class", "i.oid")}, ${TABLE}, 'index', NULL, format('%I.%I', n.nspname, i.relname), jsonb_build_object('definition', pg_get_indexdef(i.oid), 'invalid', NOT x.indisvalid), NULL
   FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN ${RELATIONS} ON c.oid = x.indrelid
   WHERE NOT i.relispartition AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.oid AND k.contype IN ('p', 'u', 'x')) AND ${RELATION}`,
  `SELECT NULL, ${TABLE}, 'replica identity', NULL, ${RELATION_NAME}, jsonb_build_object('of', CASE c.relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING'
     ELSE 'USING INDEX ' || (SELECT quote_ident(i.relname) FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = c.oid AND x.indisreplident) END), NULL
   FROM ${RELATIONS} WHERE c.relkind IN ('r', 'p') AND c.relreplident <> 'd' AND ${RELATION}`,
  `SELECT ${TABLE}, NULL, CASE c.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, NULL, ${RELATION_NAME},
     jsonb_build_object('definition', pg_get_viewdef(c.oid), 'options', ${OPTIONS}), ${VIEW_USES}
   FROM ${RELATIONS} WHERE c.relkind IN ('v', 'm') AND ${RELATION}`,
  `SELECT ${address("pg_statistic_ext", "s.oid")}, ${TABLE}, 'statistics', NULL, format('%I.%I', m.nspname, s.stxname), jsonb_build_object('definition', pg_get_statisticsobjdef(s.oid)), NULL
   FROM pg_statistic_ext s JOIN pg_namespace m ON m.oid = s.stxnamespace JOIN ${RELATIONS} ON c.oid = s.stxrelid WHERE ${RELATION}`,
  `SELECT ${address("pg_rewrite", "r.oid")}, ${TABLE}, 'rule', ${RELATION_NAME}, quote_ident(r.rulename), jsonb_build_object('definition', pg_get_ruledef(r.oid)), NULL
   FROM pg_rewrite r JOIN ${RELATIONS} ON c.oid = r.ev_class WHERE r.rulename <> '_RETURN' AND ${RELATION}`,
  `SELECT ${address("pg_trigger", "t.oid")}, ${TABLE}, 'trigger', ${RELATION_NAME}, quote_ident(t.tgname), jsonb_build_object('definition', pg_get_triggerdef(t.oid),
     'enabled', CASE t.tgenabled WHEN 'O' THEN 'ENABLE' WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END), NULL
   FROM pg_trigger t JOIN ${RELATIONS} ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND ${RELATION}`,
  `SELECT ${address("pg_policy", "p.oid")}, ${TABLE}, 'policy', ${RELATION_NAME}, quote_ident(p.polname), jsonb_build_object(
     'restrictive', NOT p.polpermissive, 'for', CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
     'to', (SELECT jsonb_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END ORDER BY 1) FROM unnest(p.polroles) r),
     'using', pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid)), NULL
   FROM pg_policy p JOIN ${RELATIONS} ON c.oid = p.polrelid WHERE ${RELATION}`,
  `${grants("CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END", "CASE c.relkind WHEN 'S' THEN 'S' ELSE 'r' END", { address: TABLE, name: RELATION_NAME, acl: "c.relacl", owner: "c.relowner", from: RELATIONS })}
     c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relacl IS NOT NULL AND ${RELATION} GROUP BY c.oid, n.oid, c.relkind, n.nspname, c.relname, e.grantee`,
  `${grants("'SCHEMA'", "'n'", { address: address("pg_namespace", "n.oid"), name: "quote_ident(n.nspname)", acl: "n.nspacl", owner: "n.nspowner", from: "pg_namespace n" })}
     ${OWN} AND (n.nspname <> 'public' OR e.grantee <> 0) AND ${NO_EXTENSION("pg_namespace", "n.oid")} GROUP BY n.oid, n.nspname, e.grantee`,
  `${grants("CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END", "'f'", { address: address("pg_proc", "p.oid"), name: FUNCTION_NAME, acl: "p.proacl", owner: "p.proowner", from: FUNCTIONS })}
     ${OWN_FUNCTION} GROUP BY p.oid, n.oid, n.nspname, p.proname, p.prokind, e.grantee`,
  `SELECT NULL, ${address("pg_class", "c.oid", "a.attnum")}, 'grant', 'COLUMN ' || ${RELATION_NAME} || '.' || quote_ident(a.attname),
     CASE e.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(e.grantee)) END,
     jsonb_build_object('privileges', jsonb_agg(e.privilege_type || CASE WHEN e.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END ORDER BY e.privilege_type),
       'table', ${RELATION_NAME}, 'column', quote_ident(a.attname)), NULL
   FROM pg_attribute a JOIN ${RELATIONS} ON c.oid = a.attrelid CROSS JOIN LATERAL aclexplode(a.attacl) e
   WHERE a.attacl IS NOT NULL AND NOT a.attisdropped AND e.grantee <> c.relowner AND ${RELATION} GROUP BY c.oid, a.attnum, n.nspname, c.relname, a.attname, e.grantee`,
  `SELECT NULL, d.classoid::regclass || ':' || d.objoid || ':' || d.objsubid, 'comment', upper(CASE
       WHEN i.type LIKE '% column' THEN 'column' WHEN i.type = 'table constraint' THEN 'constraint' WHEN i.type = 'domain constraint' THEN 'constraint'
       WHEN i.type = 'statistics object' THEN 'statistics' WHEN i.type = 'composite type' THEN 'type' ELSE i.type END) || ' '
       || CASE WHEN i.type = 'domain constraint' THEN replace(i.identity, ' on ', ' on domain ') ELSE i.identity END, '', jsonb_build_object('text', d.description), NULL
   FROM pg_description d, pg_identify_object(d.classoid, d.objoid, d.objsubid) i
   WHERE d.classoid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass, 'pg_constraint'::regclass, 'pg_trigger'::regclass, 'pg_policy'::regclass,
       'pg_namespace'::regclass, 'pg_statistic_ext'::regclass, 'pg_rewrite'::regclass) AND d.objoid >= 16384
     AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = d.classoid AND x.objid = d.objoid AND x.deptype = 'e')`,
];
