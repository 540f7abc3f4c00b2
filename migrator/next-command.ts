import { commandLine } from "../text/command-line";
import { shellWord } from "../text/shell-word";
import type { Settings } from "./settings";

/**
 * Returns the command with which a person runs another verb on the same database: in the cluster if this run belongs to
 * a stack, because a laptop mostly can't reach its database, and otherwise directly.
 * @param verb the verb with its own options, such as `resolve --applied 20240131120000_add_index`
 */
export function nextCommand(
  verb: string,
  { stack, source, opsCommand }: Pick<Settings, "stack" | "source"> & Partial<Pick<Settings, "opsCommand">>,
): string {
  if (stack !== undefined) return `${opsCommand ?? commandLine("ops")} ${verb} --stack ${shellWord(stack)}`;
  return `${commandLine("migrator")} ${verb} --migrations ${"directory" in source ? shellWord(source.directory) : "DIR"}`;
}
