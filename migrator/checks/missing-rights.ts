import type { Node } from "libpg-query";
import type { Migration } from "../../migrations/history/history";
import { nodeOf } from "../../migrations/sql/parse";
import type { Session } from "../db/connection";
import type { Plans } from "../plans";
import { needsOf } from "./permission-needs";
import { type Lacking, lacking } from "./permission-rights";

/** After these the rights are other ones, which only Postgres knows. */
const CHANGE_RIGHTS =
  /^(Grant|GrantRole|CreateRole|AlterRole|DropRole|AlterOwner|AlterDefaultPrivileges|ReassignOwned|DropOwned)Stmt$/;

/**
 * Rights that the pending statements need and the role lacks. What can't be told from a statement's text, what is made by the
 * migrations themselves, and all that follows a statement which changes rights, is left to Postgres.
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
        // Whether a role can be become is asked of the role that logged in.
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
