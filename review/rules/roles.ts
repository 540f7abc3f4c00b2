import type { Node, RoleSpec } from "libpg-query";
import { code } from "../names";

/** Writes a role for a sentence: its name, or CURRENT_USER and the like. */
export function roleText(role: RoleSpec | undefined): string {
  const name = roleName(role);
  return role?.roletype === "ROLESPEC_CSTRING" ? code(name) : name;
}

/** Writes several roles for a sentence. */
export function rolesText(items: readonly Node[] | undefined): string {
  return (items ?? []).map((item) => roleText("RoleSpec" in item ? item.RoleSpec : undefined)).join(", ");
}

/** Writes several roles as an acknowledgement names them. */
export function roleNames(items: readonly Node[] | undefined): string {
  return (items ?? []).map((item) => roleName("RoleSpec" in item ? item.RoleSpec : undefined)).join(", ");
}

function roleName(role: RoleSpec | undefined): string {
  if (role?.roletype === "ROLESPEC_CSTRING") return role.rolename ?? "";
  return (role?.roletype ?? "").replace("ROLESPEC_", "");
}
