import type { Session } from "../db/connection";

/**
 * Returns the statements that give another database the default privileges of this one, for what the session's role
 * makes in `schema`. The rights on an object depend on them.
 */
export async function defaultPrivileges(session: Session, schema: string): Promise<string[]> {
  const rows = await session.rows<{ sql: string }>(
    `WITH own AS (SELECT f.*, n.nspname FROM pg_default_acl f LEFT JOIN pg_namespace n ON n.oid = f.defaclnamespace
       WHERE f.defaclrole = (SELECT oid FROM pg_roles WHERE rolname = current_user) AND f.defaclobjtype IN ('r', 'S', 'f', 'n') AND (n.oid IS NULL OR n.nspname = $1))
     SELECT format('ALTER DEFAULT PRIVILEGES %s GRANT %s ON %s TO %s %s', 'IN SCHEMA ' || quote_ident(nspname), e.privilege_type,
       CASE defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' ELSE 'SCHEMAS' END,
       CASE e.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(e.grantee)) END, CASE WHEN e.is_grantable THEN 'WITH GRANT OPTION' END) AS sql
     FROM own, aclexplode(defaclacl) e WHERE e.grantee <> defaclrole
     UNION ALL SELECT 'ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC' FROM own
     WHERE defaclobjtype = 'f' AND nspname IS NULL AND NOT EXISTS (SELECT FROM aclexplode(defaclacl) e WHERE e.grantee = 0)`,
    [schema],
  );
  return rows.map(({ sql }) => sql);
}
