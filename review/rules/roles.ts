import type { Node, RoleSpec } from "libpg-query";
import { code } from "../names";

/** Writes a role for a sentence, as its name or a word such as CURRENT_USER. */
export function roleText(role: RoleSpec | undefined): string {
  const name = roleName(role);
  return role?.roletype === "ROLESPEC_CSTRING" ? code(name) : name;
}

/** Writes several roles for a sentence. */
export function rolesText(items: readonly Node[] | undefined): string {
  return (items ?? []).map((item) => roleText("RoleSpec" in item ? item.RoleSpec : undefined)).join(", ");
}

/** Writes several roles in the notation of acknowledgements. */
export function roleNames(items: readonly Node[] | undefined): string {
  return (items ?? []).map((item) => roleName("RoleSpec" in item ? item.RoleSpec : undefined)).join(", ");
}

function roleName(role: RoleSpec | undefined): string {
  if (role?.roletype === "ROLESPEC_CSTRING") return role.rolename ?? "";
  return (role?.roletype ?? "").replace("ROLESPEC_", "");
}
