import type { Name } from "../../migrations/sql/identifier";
import { identifier, nameText } from "../../migrations/sql/identifier";
import type { Session } from "../db/connection";
import type { Need } from "./permission-objects";

/** A right that the role lacks, described for people, and how the role can get it. */
export interface Lacking {
  readonly what: string;
  readonly next: string;
}

interface Answer {
  /** Whether the role has the right; null: that can't be determined, or the object doesn't exist. */
  readonly allowed: boolean | null;
  /** The owner, which may be granted to the role; null if a superuser is the owner. */
  readonly owner?: string | null;
}

const OWNER = (column: string) => `(SELECT rolname FROM pg_roles WHERE oid = ${column} AND NOT rolsuper) AS owner`;
const OWNS = (column: string) => `pg_has_role($1::name, ${column}, 'USAGE')`;
/**
 * An SQL condition for the right to become a role. Since PostgreSQL 16 this takes the SET option; before, every member
 * may.
 */
const BECOMES =
  "CASE WHEN current_setting('server_version_num')::int >= 160000 THEN pg_has_role($1::name, r.oid, 'SET') ELSE pg_has_role($1::name, r.oid, 'MEMBER') END";

/**
 * Checks one right in the catalogs, with the conditions that Postgres itself checks.
 * @returns the right if the role lacks it; undefined if the role has it, or if that is unknown
 */
export async function lacking(
  session: Pick<Session, "rows">,
  need: Need,
  role: string,
  schema: string,
): Promise<Lacking | undefined> {
  const quoted = ({ schema: own = schema, name }: Name) => nameText({ schema: own, name });
  const me = identifier(role);
  const ask = async (sql: string, ...values: unknown[]): Promise<Answer> =>
    (await session.rows<Answer>(sql, [role, ...values]))[0] ?? { allowed: null };
  const verdict = (allowed: boolean | null, what: string, next: string) =>
    allowed === false ? { what, next } : undefined;
  const administrator = `have an administrator run it, and take it out of the migrations`;
  const ofOwner = ({ owner }: Answer, change: string) =>
    owner ? `GRANT ${identifier(owner)} TO ${me}` : `have its owner run: ${change} OWNER TO ${me}`;

  switch (need.kind) {
    case "privilege": {
      const privileges = need.anyOf.join(", ");
      const { allowed } = await ask(PRIVILEGE, quoted(need.name), need.anyOf);
      return verdict(
        allowed,
        `${privileges} on ${quoted(need.name)}`,
        `GRANT ${need.anyOf[0]} ON ${quoted(need.name)} TO ${me}`,
      );
    }
    case "relation": {
      const answer = await ask(
        `SELECT ${OWNS("c.relowner")} OR ($3 AND ${OWNS("n.nspowner")})
           OR ($4 AND current_setting('server_version_num')::int >= 170000 AND c.relkind <> 'S' AND has_table_privilege($1::name, c.oid, CASE WHEN current_setting('server_version_num')::int >= 170000 THEN 'MAINTAIN' ELSE 'SELECT' END)) AS allowed,
           ${OWNER("c.relowner")} FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($2)`,
        quoted(need.name),
        need.orSchema ?? false,
        need.orMaintain ?? false,
      );
      return verdict(
        answer.allowed,
        `ownership of ${quoted(need.name)}`,
        ofOwner(answer, `ALTER TABLE ${quoted(need.name)}`),
      );
    }
    case "type": {
      const answer = await ask(
        `SELECT ${OWNS("t.typowner")} OR ($3 AND ${OWNS("n.nspowner")}) AS allowed, ${OWNER("t.typowner")} FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = to_regtype($2)`,
        quoted(need.name),
        need.orSchema ?? false,
      );
      return verdict(
        answer.allowed,
        `ownership of the type ${quoted(need.name)}`,
        ofOwner(answer, `ALTER TYPE ${quoted(need.name)}`),
      );
    }
    case "function": {
      // Several functions of that name can't be distinguished here, so the answer is then unknown.
      const answer = await ask(
        `SELECT bool_and(${OWNS("p.proowner")} OR ($5 AND ${OWNS("n.nspowner")})) AS allowed, min(o.rolname) AS owner
         FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace LEFT JOIN pg_roles o ON o.oid = p.proowner AND NOT o.rolsuper
         WHERE p.proname = $2 AND n.nspname = $3 AND ($4::int IS NULL OR p.pronargs = $4) HAVING count(*) = 1`,
        need.name.name,
        need.name.schema ?? schema,
        need.inputs ?? null,
        need.orSchema ?? false,
      );
      return verdict(
        answer.allowed,
        `ownership of the function ${quoted(need.name)}`,
        ofOwner(answer, `ALTER FUNCTION ${quoted(need.name)}`),
      );
    }
    case "schema": {
      const answer = await ask(
        `SELECT ${OWNS("nspowner")} AS allowed, ${OWNER("nspowner")} FROM pg_namespace WHERE nspname = $2`,
        need.schema,
      );
      return verdict(
        answer.allowed,
        `ownership of the schema ${identifier(need.schema)}`,
        ofOwner(answer, `ALTER SCHEMA ${identifier(need.schema)}`),
      );
    }
    case "create-in": {
      const name = need.schema ?? schema;
      const { allowed } = await ask(
        "SELECT has_schema_privilege($1::name, oid, 'CREATE') AND has_schema_privilege($1::name, oid, 'USAGE') AS allowed FROM pg_namespace WHERE nspname = $2",
        name,
      );
      return verdict(
        allowed,
        `CREATE in the schema ${identifier(name)}`,
        `GRANT CREATE, USAGE ON SCHEMA ${identifier(name)} TO ${me}`,
      );
    }
    case "create-in-database": {
      const { allowed } = await ask("SELECT has_database_privilege($1::name, current_database(), 'CREATE') AS allowed");
      return verdict(allowed, "CREATE in the database", `GRANT CREATE ON this database TO ${me}`);
    }
    case "extension": {
      const { allowed } = await ask(
        `SELECT CASE WHEN s.superuser AND NOT (s.trusted AND has_database_privilege($1::name, current_database(), 'CREATE')) THEN ${SUPERUSER} ELSE true END AS allowed
         FROM pg_available_extensions e JOIN pg_available_extension_versions s ON s.name = e.name AND s.version = e.default_version WHERE e.name = $2 AND e.installed_version IS NULL`,
        need.object,
      );
      return verdict(
        allowed,
        `the right to create the extension ${need.object}, which is a superuser's`,
        administrator,
      );
    }
    case "drop-extension": {
      const { allowed } = await ask(
        `SELECT ${OWNS("extowner")} AS allowed FROM pg_extension WHERE extname = $2`,
        need.object,
      );
      return verdict(allowed, `ownership of the extension ${need.object}`, administrator);
    }
    case "trusted-language": {
      const { allowed } = await ask(
        `SELECT CASE WHEN lanpltrusted THEN has_language_privilege($1::name, oid, 'USAGE') ELSE ${SUPERUSER} END AS allowed FROM pg_language WHERE lanname = $2`,
        need.object,
      );
      return verdict(allowed, `the right to write functions in ${need.object}`, administrator);
    }
    case "role": {
      const { allowed } = await ask(
        "SELECT $1::name IS NOT NULL AND EXISTS (SELECT FROM pg_roles WHERE rolname = $2) AS allowed",
        need.role,
      );
      return verdict(
        allowed,
        `a role ${identifier(need.role)}, which does not exist`,
        `CREATE ROLE ${identifier(need.role)}`,
      );
    }
    case "become":
    case "member":
    case "admin": {
      const right = {
        become: BECOMES,
        member: OWNS("r.oid"),
        admin: `CASE WHEN r.rolsuper THEN ${SUPERUSER} ELSE pg_has_role($1::name, r.oid, 'MEMBER WITH ADMIN OPTION') OR (current_setting('server_version_num')::int < 160000 AND (SELECT rolcreaterole FROM pg_roles WHERE rolname = $1)) END`,
      }[need.kind];
      const [found] = await session.rows<{ allowed: boolean | null; super: boolean }>(
        `SELECT ${right} AS allowed, r.rolsuper AS super FROM pg_roles r WHERE r.rolname = $2`,
        [role, need.role],
      );
      if (!found)
        return {
          what: `a role ${identifier(need.role)}, which does not exist`,
          next: `CREATE ROLE ${identifier(need.role)}`,
        };
      const grant = found.super
        ? administrator
        : `GRANT ${identifier(need.role)} TO ${me}${need.kind === "admin" ? " WITH ADMIN OPTION" : ""}`;
      return verdict(
        found.allowed,
        {
          become: `the right to become the role ${identifier(need.role)}`,
          member: `the rights of the role ${identifier(need.role)}`,
          admin: `the right to grant the role ${identifier(need.role)}`,
        }[need.kind],
        grant,
      );
    }
    case "create-role": {
      const { allowed } = await ask("SELECT rolcreaterole OR rolsuper AS allowed FROM pg_roles WHERE rolname = $1");
      return verdict(allowed, "the right to make or drop roles (CREATEROLE)", administrator);
    }
    case "set-parameter":
    case "alter-system": {
      const right = need.kind === "set-parameter" ? "SET" : "ALTER SYSTEM";
      const modern = (
        await session.rows<{ modern: boolean }>("SELECT current_setting('server_version_num')::int >= 150000 AS modern")
      )[0]!.modern;
      const has = modern
        ? `has_parameter_privilege($1::name, $2, '${right}') OR ${SUPERUSER}`
        : `$2::text IS NOT NULL AND ${SUPERUSER}`;
      const { allowed } = await ask(
        right === "SET"
          ? `SELECT ${has} AS allowed FROM pg_settings WHERE name = lower($2) AND context IN ('superuser', 'superuser-backend')`
          : `SELECT ${has} AS allowed`,
        need.parameter,
      );
      return verdict(
        allowed,
        `the right to ${right === "SET" ? "set" : "ALTER SYSTEM SET"} ${need.parameter}`,
        modern ? `GRANT ${right} ON PARAMETER ${need.parameter} TO ${me}` : administrator,
      );
    }
    case "superuser": {
      const { allowed } = await ask(`SELECT $1::name IS NOT NULL AND ${SUPERUSER} AS allowed`);
      return verdict(allowed, `the rights of a superuser, for ${need.what}`, administrator);
    }
  }
}

/**
 * An SQL condition that is true for a superuser. It is null for the administrators of managed services, who may do more
 * than Postgres shows; what they may do can't be determined from here.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Roles.rds_superuser.html
 */
const SUPERUSER = `CASE WHEN (SELECT rolsuper FROM pg_roles WHERE rolname = $1) THEN true
  WHEN EXISTS (SELECT FROM pg_roles m WHERE m.rolname IN ('rds_superuser', 'cloudsqlsuperuser', 'azure_pg_admin') AND pg_has_role($1::name, m.oid, 'MEMBER')) THEN NULL ELSE false END`;

/**
 * A query for privileges on a relation. A privilege on any column is enough, because it is unknown which column is
 * used.
 */
const PRIVILEGE = `SELECT has_schema_privilege($1::name, c.relnamespace, 'USAGE') AND (SELECT bool_or(CASE
    WHEN privilege = 'MAINTAIN' AND current_setting('server_version_num')::int < 170000 THEN ${OWNS("c.relowner")}
    WHEN privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') AND c.relkind <> 'S' THEN has_any_column_privilege($1::name, c.oid, privilege) OR has_table_privilege($1::name, c.oid, privilege)
    ELSE has_table_privilege($1::name, c.oid, privilege) END) FROM unnest($3::text[]) privilege) AS allowed
  FROM pg_class c WHERE c.oid = to_regclass($2)`;
