import type { Node } from "libpg-query";
import type { Migration } from "../../migrations/history/history";
import { nodeOf } from "../../migrations/sql/parse";
import type { Session } from "../db/connection";
import type { Plans } from "../plans";
import { needsOf } from "./permission-needs";
import { type Lacking, lacking } from "./permission-rights";

/** Matches the statements that change rights. What the role may do after them can't be determined beforehand. */
const CHANGE_RIGHTS =
  /^(Grant|GrantRole|CreateRole|AlterRole|DropRole|AlterOwner|AlterDefaultPrivileges|ReassignOwned|DropOwned)Stmt$/;

/**
 * Finds the rights that the pending statements need and the role lacks. It leaves to Postgres what a statement's text
 * doesn't show, objects that the migrations create themselves, and everything after a statement that changes rights.
 */
export async function missingRights(
  plans: Plans,
  session: Pick<Session, "rows">,
  pending: readonly Migration[],
  user: string,
  schema: string,
): Promise<(Lacking & { migration: string; line: number })[]> {
  const found: (Lacking & { migration: string; line: number })[] = [];
  const asked = new Set<string>();
  for (const migration of pending) {
    const { plan, nodes } = plans.withNodes(migration);
    if (plan.error) return found;
    let role = user;
    for (const [index, statement] of plan.statements.entries()) {
      const node = nodes?.[index] ?? nodeOf(statement);
      for (const need of needsOf(node)) {
        // Postgres checks the role that logged in, not the current role, for the right to become a role.
        const who = need.kind === "become" ? user : role;
        const key = JSON.stringify([who, need]);
        if (asked.has(key)) continue;
        asked.add(key);
        const right = await lacking(session, need, who, schema);
        if (right) found.push({ ...right, migration: migration.name, line: statement.line });
      }
      if (Object.keys(node).some((tag) => CHANGE_RIGHTS.test(tag)) || changesOwner(node)) return found;
      role = roleAfter(node, role, user);
    }
    if (role !== user) return found;
  }
  return found;
}

function changesOwner(node: Node): boolean {
  if (!("AlterTableStmt" in node)) return false;
  return (node.AlterTableStmt.cmds ?? []).some(
    (item) => "AlterTableCmd" in item && item.AlterTableCmd.subtype === "AT_ChangeOwner",
  );
}

function roleAfter(node: Node, role: string, user: string): string {
  if (!("VariableSetStmt" in node) || node.VariableSetStmt.name !== "role") return role;
  const become = needsOf(node).find(({ kind }) => kind === "become");
  return become && "role" in become ? become.role : user;
}
