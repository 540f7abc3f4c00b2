import type { Node, RoleSpec } from "libpg-query";
import { identifier, keyOf, nameOf, nameOfParts } from "../../migrations/sql/identifier";
import { type Context, type JudgedStatement, tableText, target } from "./context";

/** Statements that take rights away from a role: its sessions fail, whichever version of the app they serve. */
export function judgeRights(statement: JudgedStatement, context: Context): void {
  const { node } = statement;
  if ("DropOwnedStmt" in node) dropOwned(statement, node.DropOwnedStmt, context);
  // A contract migration runs when the version that needed the rights is gone.
  if (context.plan.contract) return;
  if ("GrantStmt" in node) revoke(statement, node.GrantStmt, context);
  else if ("GrantRoleStmt" in node) leaveRole(statement, node.GrantRoleStmt, context);
  else if ("AlterDefaultPrivilegesStmt" in node) {
    const { action } = node.AlterDefaultPrivilegesStmt;
    if (action && !action.is_grant)
      report(
        statement,
        context,
        `line ${statement.line}`,
        `It takes rights away from ${roles(action.grantees)}, on what is made later.`,
        "Sessions of that role fail where they use it, unless it gets the rights by a GRANT.",
        "info",
      );
  } else if ("AlterRoleStmt" in node) alterRole(statement, node.AlterRoleStmt, context);
  else if ("DropRoleStmt" in node) dropRoles(statement, node.DropRoleStmt, context);
  else if ("ReassignOwnedStmt" in node) {
    const { roles: before, newrole } = node.ReassignOwnedStmt;
    changeOwner(statement, context, roles(before), `all that belongs to ${roles(before)}`, newrole);
  } else if ("AlterOwnerStmt" in node) {
    const { objectType, object, newowner } = node.AlterOwnerStmt;
    const name = nameOfParts(object);
    if (!context.isNewObject(name) && !context.isMade("schema", name.name))
      changeOwner(statement, context, keyOf(name), `the ${kindText(objectType)} ${tableText(name)}`, newowner);
  } else if ("AlterTableStmt" in node && node.AlterTableStmt.relation) {
    const name = nameOf(node.AlterTableStmt.relation);
    if (context.isNew(name) || context.isNewObject(name) || context.isNewSequence(name)) return;
    for (const item of node.AlterTableStmt.cmds ?? [])
      if ("AlterTableCmd" in item && item.AlterTableCmd.subtype === "AT_ChangeOwner")
        changeOwner(statement, context, target(name), tableText(name), item.AlterTableCmd.newowner);
  }
}

const sessions = "Sessions of that role that need them fail: pods of the old version, and of the new one.";

function report(
  statement: JudgedStatement,
  context: Context,
  about: string,
  what: string,
  who = sessions,
  severity: "info" | "warning" = "warning",
): void {
  context.report(
    {
      rule: "revoke",
      classes: ["incompatible"],
      severity,
      target: about,
      what,
      who,
      howLong: "until the rights are given back",
    },
    statement,
  );
}

function revoke(
  statement: JudgedStatement,
  { is_grant, grant_option, targtype, objtype, objects, privileges, grantees }: GrantStmt,
  context: Context,
): void {
  // Without its grant option, a right still holds.
  if (is_grant || grant_option) return;
  const kind = kindText(objtype);
  const names = (privileges ?? []).map((item) => ("AccessPriv" in item ? item.AccessPriv.priv_name : undefined));
  // Pods make no tables: taking CREATE from PUBLIC is what the documentation of Postgres advises.
  const severity = names.length > 0 && names.every((name) => name === "create") ? "info" : "warning";
  for (const object of objects ?? []) {
    if (targtype === "ACL_TARGET_ALL_IN_SCHEMA") {
      const name = nameOfParts(object).name;
      const tables = [...context.schema.tables.values()].filter(({ name: of }) => (of.schema ?? "public") === name);
      if (context.isMade("schema", name) || (tables.length > 0 && tables.every((table) => context.isNew(table.name))))
        continue;
      report(
        statement,
        context,
        `${name}.*`,
        `It takes rights on every ${kind} of the schema ${identifier(name)} away from ${roles(grantees)}.`,
      );
      continue;
    }
    const name = "RangeVar" in object ? nameOf(object.RangeVar) : nameOfParts(object);
    if (objtype === "OBJECT_SCHEMA" && context.isMade("schema", name.name)) continue;
    if (context.isNew(name) || context.isNewObject(name) || context.isNewSequence(name)) continue;
    const text = objtype === "OBJECT_TABLE" ? tableText(name) : `the ${kind} ${tableText(name)}`;
    report(
      statement,
      context,
      target(name),
      `It takes rights on ${text} away from ${roles(grantees)}.`,
      sessions,
      severity,
    );
  }
}

function leaveRole(
  statement: JudgedStatement,
  { is_grant, granted_roles, grantee_roles, opt }: Extract<Node, { GrantRoleStmt: unknown }>["GrantRoleStmt"],
  context: Context,
): void {
  const onlyAdmin = opt?.length === 1 && opt.every((item) => "DefElem" in item && item.DefElem.defname === "admin");
  if (is_grant || onlyAdmin) return;
  const names = (granted_roles ?? []).flatMap((item) =>
    "AccessPriv" in item ? [identifier(item.AccessPriv.priv_name ?? "")] : [],
  );
  report(
    statement,
    context,
    roles(grantee_roles),
    `It takes the rights of the role ${names.join(", ")} away from ${roles(grantee_roles)}.`,
  );
}

/** What an option of ALTER ROLE takes away, by its name in the grammar. */
const taken: Record<string, string> = {
  canlogin: "the right to log in",
  superuser: "the rights of a superuser",
  createdb: "the right to make databases",
  createrole: "the right to make roles",
  inherit: "the rights of the roles that it belongs to, unless it sets its role",
  isreplication: "the right to replicate",
  bypassrls: "the right to pass row level security",
};

function alterRole(
  statement: JudgedStatement,
  { role, options, action }: Extract<Node, { AlterRoleStmt: unknown }>["AlterRoleStmt"],
  context: Context,
): void {
  const name = role?.rolename ?? "";
  if (context.isMade("role", name)) return;
  for (const item of options ?? []) {
    if (!("DefElem" in item)) continue;
    const { defname = "", arg } = item.DefElem;
    const off = arg !== undefined && "Boolean" in arg && arg.Boolean.boolval !== true;
    const limit = arg !== undefined && "Integer" in arg ? (arg.Integer.ival ?? 0) : undefined;
    const what =
      off && taken[defname] !== undefined
        ? `takes ${taken[defname]} away from ${roleText(role)}`
        : defname === "connectionlimit" && limit !== undefined && limit >= 0
          ? `lets ${roleText(role)} have no more than ${limit} connections`
          : defname === "password"
            ? `changes the password of ${roleText(role)}`
            : defname === "validUntil"
              ? `lets the password of ${roleText(role)} end at a time`
              : defname === "rolemembers" && action === -1
                ? `takes members out of the role ${roleText(role)}`
                : undefined;
    if (what !== undefined)
      report(
        statement,
        context,
        name,
        `It ${what}.`,
        "The app's connections fail if they are of that role: pods of the old version, and of the new one.",
      );
  }
}

function dropRoles(
  statement: JudgedStatement,
  { roles: dropped }: Extract<Node, { DropRoleStmt: unknown }>["DropRoleStmt"],
  context: Context,
): void {
  for (const item of dropped ?? []) {
    const role = "RoleSpec" in item ? item.RoleSpec : undefined;
    if (context.isMade("role", role?.rolename ?? "")) continue;
    context.report(
      {
        rule: "drop-role",
        classes: ["incompatible", "failing"],
        severity: "warning",
        target: role?.rolename ?? "",
        what: `It drops the role ${roleText(role)}, and fails while the role owns anything or has a right, in any database of the server.`,
        who: "The app's connections fail if they are of that role: pods of the old version, and of the new one.",
        howLong: "until the role is made again",
      },
      statement,
    );
  }
}

function dropOwned(
  statement: JudgedStatement,
  { roles: owners }: Extract<Node, { DropOwnedStmt: unknown }>["DropOwnedStmt"],
  context: Context,
): void {
  context.report(
    {
      rule: "drop-owned",
      classes: ["destructive", "incompatible"],
      severity: "error",
      target: roles(owners),
      what: `It drops every table and object of this database that belongs to ${roles(owners)}, and takes all its rights away.`,
      who: "Everybody who uses them, and sessions of that role.",
      howLong: "for good",
      irreversible: "What is dropped can only be had back from a snapshot.",
    },
    statement,
  );
}

function changeOwner(
  statement: JudgedStatement,
  context: Context,
  about: string,
  what: string,
  owner: RoleSpec | undefined,
): void {
  report(
    statement,
    context,
    about,
    `It makes ${roleText(owner)} the owner of ${what}: the owner before loses the rights that come with it.`,
  );
}

type GrantStmt = Extract<Node, { GrantStmt: unknown }>["GrantStmt"];

/** `event trigger`. */
function kindText(type: string | undefined): string {
  return (type ?? "OBJECT").replace("OBJECT_", "").replaceAll("_", " ").toLowerCase();
}

function roles(items: readonly Node[] | undefined): string {
  return (items ?? []).map((item) => roleText("RoleSpec" in item ? item.RoleSpec : undefined)).join(", ");
}

function roleText(role: RoleSpec | undefined): string {
  if (role?.roletype === "ROLESPEC_CSTRING") return identifier(role.rolename ?? "");
  return (role?.roletype ?? "").replace("ROLESPEC_", "");
}
