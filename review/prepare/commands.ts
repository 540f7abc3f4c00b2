import type { AlterTableCmd, Node } from "libpg-query";
import { type Name, nameOf } from "../../migrations/sql/identifier";
import { alterCommands } from "../../migrations/sql/tokens";
import type { Facts } from "../facts";

/** One subcommand of an ALTER TABLE. */
export interface Command {
  readonly cmd: AlterTableCmd;
  /** The position in its statement, counted from 0. */
  readonly index: number;
  readonly table: Name;
  /** The column or constraint that it names, or "" if it names none. */
  readonly column: string;
  /** Whether it is written with ONLY, and so reaches no partition. */
  readonly only: boolean;
}

/** Lists the subcommands of an ALTER TABLE; none for any other statement. */
export function commandsOf(node: Node): Command[] {
  if (!("AlterTableStmt" in node) || !node.AlterTableStmt.relation) return [];
  const table = nameOf(node.AlterTableStmt.relation);
  const only = node.AlterTableStmt.relation.inh !== true;
  return (node.AlterTableStmt.cmds ?? []).flatMap((item, index) =>
    "AlterTableCmd" in item
      ? [{ cmd: item.AlterTableCmd, index, table, only, column: item.AlterTableCmd.name ?? "" }]
      : [],
  );
}

/** Lists the subcommands of an ALTER TABLE on an existing table; none if this release makes the table. */
export function alterations({ node }: { readonly node: Node }, facts: Facts): Command[] {
  return commandsOf(node).filter(({ table }) => !facts.isNew(table));
}

/** Returns `ALTER TABLE name` and the subcommand as they are written in the file. */
export function writtenParts(text: string, { index }: Command): { head: string; command: string } {
  const { head, commands } = alterCommands(text);
  return { head, command: commands[index] ?? "" };
}
