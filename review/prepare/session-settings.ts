import type { Node } from "libpg-query";
import { textOf } from "../../migrations/sql/constant";
import { callsOf } from "../../migrations/sql/references";

/** A setting of the session that a statement changes. */
export interface SessionSetting {
  readonly name: string;
  /** The values as they are written; none for RESET and DEFAULT. */
  readonly values: readonly Node[];
}

/** Lists the settings that SET, RESET, DISCARD ALL or set_config() change. */
export function settingsOf(node: Node): SessionSetting[] {
  if ("VariableSetStmt" in node) {
    const { kind, name = "", args = [] } = node.VariableSetStmt;
    return kind === "VAR_RESET_ALL" ? all : [{ name, values: args }];
  }
  if ("DiscardStmt" in node && node.DiscardStmt.target === "DISCARD_ALL") return all;
  if (!("SelectStmt" in node)) return [];
  return callsOf(node)
    .filter(({ name }) => name === "set_config")
    .map(({ args: [name, value] }) => ({ name: textOf(name) ?? "", values: value ? [value] : [] }));
}

const all = ["lock_timeout", "search_path"].map((name) => ({ name, values: [] }));
