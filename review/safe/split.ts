import type { Node } from "libpg-query";
import { makesTemporary, namesTemporary } from "../../migrations/schema/temporary";
import { callsOf } from "../../migrations/sql/references";
import type { JudgedStatement } from "../facts";

/**
 * Returns the reason why a file can't be split between these statements: something in the first part is valid only in
 * its transaction or session, and the second part may need it. Returns undefined if the file can be split.
 */
export function boundTo(before: readonly JudgedStatement[], after: readonly JudgedStatement[]): string | undefined {
  const held = before.map(({ node }) => holds(node)).find((each) => each !== undefined);
  if (held !== undefined) return held;
  const temporary = before.some(({ node }) => makesTemporary(node)) && after.some(({ node }) => namesTemporary(node));
  return temporary ? "a temporary table" : undefined;
}

function holds(node: Node): string | undefined {
  if ("LockStmt" in node) return "the lock of LOCK TABLE";
  if ("VariableSetStmt" in node) return "a setting";
  if ("ConstraintsSetStmt" in node) return "SET CONSTRAINTS";
  if ("TransactionStmt" in node && /SAVEPOINT|ROLLBACK_TO/.test(node.TransactionStmt.kind ?? "")) return "a savepoint";
  if ("DeclareCursorStmt" in node) return "a cursor";
  if ("PrepareStmt" in node) return "a prepared statement";
  if ("SelectStmt" in node && (node.SelectStmt.lockingClause ?? []).length > 0) return "locks on rows";
  return callsOf(node).some(({ name }) => name === "set_config") ? "a setting" : undefined;
}
