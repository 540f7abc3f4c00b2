import type { Node, RoleSpec } from "libpg-query";
import { keyOf, nameOf, nameOfParts } from "../../migrations/sql/identifier";
import type { Facts, JudgedStatement } from "../facts";
import { code, codes, named, target } from "../names";
import { alterations } from "../prepare/commands";
import { roleNames, rolesText, roleText } from "./roles";
import { type Draft, defineRule } from "./rule";
import { appConnections } from "./words";

type Statement<Kind extends string> = Extract<Node, Record<Kind, unknown>>;
type Found = Draft<"revoke">;

const sessions = "Sessions of that role that need the rights fail, in pods of the old and of the new version.";

/**
 * This rule reports rights that a role loses by REVOKE, ALTER ROLE or a change of owner. Its sessions then fail, in
 * pods of both versions of the app.
 */
export const revoke = defineRule({
  finds: {
    revoke: {
      classes: ["incompatible"],
      bad: "REVOKE UPDATE ON users FROM app;",
      good: "-- Release it as a contract migration, after the version that no longer needs the right.",
    },
  },
  statement(statement, facts) {
    // A contract migration runs when no pod is left of the version that needed the rights.
    return facts.plan.contract ? [] : judge(statement, facts);
  },
});

function judge(statement: JudgedStatement, facts: Facts): Found[] {
  const { node, line } = statement;
  if ("GrantStmt" in node) return privileges(node.GrantStmt, facts);
  if ("GrantRoleStmt" in node) return membership(node.GrantRoleStmt);
  if ("AlterRoleStmt" in node) return alterRole(node.AlterRoleStmt, facts);
  if ("AlterDefaultPrivilegesStmt" in node) {
    const { action } = node.AlterDefaultPrivilegesStmt;
    if (!action || action.is_grant) return [];
    const what = `Takes rights on objects that are created later away from ${rolesText(action.grantees)}.`;
    const who = "Sessions of that role fail where they use such an object, unless a GRANT gives them the rights.";
    return [loses(`line ${line}`, what, who, "info")];
  }
  if ("ReassignOwnedStmt" in node) {
    const { roles, newrole } = node.ReassignOwnedStmt;
    return [owner(roleNames(roles), `all objects of ${rolesText(roles)}`, newrole)];
  }
  if ("AlterOwnerStmt" in node) {
    const { objectType, object, newowner } = node.AlterOwnerStmt;
    const name = nameOfParts(object);
    if (facts.isNewObject(name) || facts.isMade("schema", name.name)) return [];
    return [owner(keyOf(name), `${kindText(objectType)} ${named(name)}`, newowner)];
  }
  return alterations(statement, facts).flatMap(({ cmd, table }) =>
    cmd.subtype !== "AT_ChangeOwner" || facts.isNewObject(table) || facts.isNewSequence(table)
      ? []
      : [owner(target(table), named(table), cmd.newowner)],
  );
}

function loses(about: string, what: string, who = sessions, severity: "info" | "warning" = "warning"): Found {
  return { rule: "revoke", severity, target: about, what, who, howLong: "Until the rights are given back" };
}

function owner(about: string, what: string, to: RoleSpec | undefined): Found {
  return loses(about, `Makes ${roleText(to)} the owner of ${what}: the owner before loses its rights.`);
}

function privileges(
  {
    is_grant,
    grant_option,
    targtype,
    objtype,
    objects,
    privileges: given,
    grantees,
  }: Statement<"GrantStmt">["GrantStmt"],
  facts: Facts,
): Found[] {
  // A role that loses only the grant option keeps the right itself.
  if (is_grant || grant_option) return [];
  const kind = kindText(objtype);
  const names = (given ?? []).map((item) => ("AccessPriv" in item ? item.AccessPriv.priv_name : undefined));
  // Losing CREATE is only `info`: pods create no tables, and Postgres' documentation advises to revoke CREATE from
  // PUBLIC.
  const severity = names.length > 0 && names.every((name) => name === "create") ? "info" : "warning";
  const from = `away from ${rolesText(grantees)}.`;
  return (objects ?? []).flatMap((object) => {
    if (targtype === "ACL_TARGET_ALL_IN_SCHEMA") {
      const { name } = nameOfParts(object);
      const tables = [...facts.schema.tables.values()].filter(({ name: of }) => (of.schema ?? "public") === name);
      if (facts.isMade("schema", name) || (tables.length > 0 && tables.every((table) => facts.isNew(table.name))))
        return [];
      return [loses(`${name}.*`, `Takes rights on every ${kind} of schema ${code(name)} ${from}`)];
    }
    const name = "RangeVar" in object ? nameOf(object.RangeVar) : nameOfParts(object);
    if (objtype === "OBJECT_SCHEMA" && facts.isMade("schema", name.name)) return [];
    if (facts.isNew(name) || facts.isNewObject(name) || facts.isNewSequence(name)) return [];
    return [loses(target(name), `Takes rights on ${kind} ${named(name)} ${from}`, sessions, severity)];
  });
}

function membership({
  is_grant,
  granted_roles,
  grantee_roles,
  opt,
}: Statement<"GrantRoleStmt">["GrantRoleStmt"]): Found[] {
  const onlyAdmin = opt?.length === 1 && opt.every((item) => "DefElem" in item && item.DefElem.defname === "admin");
  if (is_grant || onlyAdmin) return [];
  const names = (granted_roles ?? []).flatMap((item) =>
    "AccessPriv" in item ? [item.AccessPriv.priv_name ?? ""] : [],
  );
  const what = `Takes the rights of role ${codes(names)} away from ${rolesText(grantee_roles)}.`;
  return [loses(roleNames(grantee_roles), what)];
}

/** The rights that options of ALTER ROLE take away, by the option's name in Postgres' grammar. */
const options: Record<string, string> = {
  canlogin: "the right to log in",
  superuser: "the rights of a superuser",
  createdb: "the right to create databases",
  createrole: "the right to create roles",
  inherit: "the rights of the roles that it belongs to, unless it uses SET ROLE,",
  isreplication: "the right to replicate",
  bypassrls: "the right to bypass row level security",
};

function alterRole(
  { role, options: given, action }: Statement<"AlterRoleStmt">["AlterRoleStmt"],
  facts: Facts,
): Found[] {
  const name = role?.rolename ?? "";
  if (facts.isMade("role", name)) return [];
  return (given ?? []).flatMap((item) => {
    const what = "DefElem" in item ? lost(item.DefElem, roleText(role), action) : undefined;
    return what === undefined ? [] : [loses(name, `${what}.`, appConnections)];
  });
}

function lost(
  { defname = "", arg }: Statement<"DefElem">["DefElem"],
  role: string,
  action: number | undefined,
): string | undefined {
  const off = arg !== undefined && "Boolean" in arg && arg.Boolean.boolval !== true;
  const limit = arg !== undefined && "Integer" in arg ? (arg.Integer.ival ?? 0) : -1;
  if (off && options[defname] !== undefined) return `Takes ${options[defname]} away from ${role}`;
  if (defname === "connectionlimit" && limit >= 0) return `Limits ${role} to ${limit} connections`;
  if (defname === "password") return `Changes the password of ${role}`;
  if (defname === "validUntil") return `Lets the password of ${role} expire`;
  return defname === "rolemembers" && action === -1 ? `Takes members out of role ${role}` : undefined;
}

/** Returns the kind of an object in lower-case words, such as `event trigger`. */
function kindText(type: string | undefined): string {
  return (type ?? "OBJECT").replace("OBJECT_", "").replaceAll("_", " ").toLowerCase();
}
