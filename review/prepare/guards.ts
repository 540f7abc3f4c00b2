import type { Node } from "libpg-query";
import { type Name, nameOf } from "../../migrations/sql/identifier";
import { target } from "../names";
import { commandsOf } from "./commands";

/** Lists the policies, triggers and rules that a statement makes or turns on, as texts of {@link guardKey}. */
export function guardsMade(node: Node): string[] {
  if ("CreatePolicyStmt" in node && node.CreatePolicyStmt.table)
    return [guardKey("policy", nameOf(node.CreatePolicyStmt.table), node.CreatePolicyStmt.policy_name)];
  if ("CreateTrigStmt" in node && node.CreateTrigStmt.relation)
    return [guardKey("trigger", nameOf(node.CreateTrigStmt.relation), node.CreateTrigStmt.trigname)];
  if ("RuleStmt" in node && node.RuleStmt.relation)
    return [guardKey("rule", nameOf(node.RuleStmt.relation), node.RuleStmt.rulename)];
  return commandsOf(node).flatMap(({ table, column, cmd: { subtype = "" } }) =>
    /^AT_Enable(Always)?(Trig|Rule)/.test(subtype) ? [guardKey("enabled", table, column)] : [],
  );
}

/**
 * Returns the key of a policy, trigger or rule of a table. The kind `enabled` is a trigger or rule that is turned on.
 */
export function guardKey(kind: "policy" | "trigger" | "rule" | "enabled", table: Name, name = ""): string {
  return `${kind} ${target(table, name)}`;
}
