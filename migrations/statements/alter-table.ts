import type { AlterTableCmd, AlterTableStmt, AlterTableType } from "libpg-query";
import { Effects, type Work } from "../schema/effect";
import { relationName } from "../schema/expectation";
import type { Schema } from "../schema/schema";
import { keyOf, nameOf, nameText } from "../sql/identifier";
import { alterColumn } from "./alter-column";
import { alterConstraint } from "./alter-constraint";
import { alterOther } from "./alter-other";
import { alterPartition, partitionOf } from "./alter-partition";
import { type Family, objectName, type Subcommand } from "./family";
import { defines } from "./replay-rules";
import type { Before, Undo } from "./undo";

/**
 * The rules for each subcommand of ALTER TABLE. If a new version of the grammar adds
 * one, this doesn't compile until it is listed.
 */
export const subcommands: Readonly<Record<AlterTableType, Subcommand>> = {
  ...alterColumn,
  ...alterConstraint,
  ...alterPartition,
  ...alterOther,
};

/** ALTER TABLE, and the statements that share its form: ALTER INDEX, VIEW, SEQUENCE and TYPE. */
export const alterTable: Family<"AlterTableStmt"> = {
  AlterTableStmt: {
    opinion: "judged",
    kind: ({ objtype }) => `ALTER ${objectName(objtype)}`,
    unknown: (statement) =>
      commandsOf(statement)
        .map(({ opinion }) => (typeof opinion === "object" ? opinion.unknown : undefined))
        .find((reason) => reason !== undefined),
    refusedInTransaction: (statement) =>
      commandsOf(statement).some(({ cmd }) => cmd.subtype === "AT_DetachPartition" && partitionOf(cmd)?.concurrent)
        ? "DETACH PARTITION CONCURRENTLY"
        : undefined,
    lock,
    apply(statement, schema) {
      const { relation } = statement;
      if (!relation) return;
      if (isOfTable(statement)) {
        const table = schema.require(nameOf(relation));
        for (const { cmd, apply } of commandsOf(statement)) apply?.(cmd, table, schema);
      }
      for (const { cmd, depend } of commandsOf(statement)) depend?.(cmd, keyOf(nameOf(relation)), schema);
    },
    expect(statement, schema) {
      const { relation, objtype } = statement;
      if (!relation || objtype !== "OBJECT_TABLE") return [];
      return commandsOf(statement).flatMap(({ cmd, expect }) => expect?.(cmd, relationName(relation, schema)) ?? []);
    },
    takesBack: (statement) =>
      commandsOf(statement).some(({ cmd }) => cmd.behavior === "DROP_CASCADE") ? { by: "DROP … CASCADE" } : undefined,
    replay: defines,
    undo,
    remains({ relation, cmds: [first] = [] }) {
      const partition = first && "AlterTableCmd" in first ? partitionOf(first.AlterTableCmd)?.name : undefined;
      return relation && partition && { kind: "detach", parent: relation, partition };
    },
  },
};

function commandsOf({ cmds }: AlterTableStmt): (Subcommand & { readonly cmd: AlterTableCmd })[] {
  return (cmds ?? []).flatMap((item) => {
    if (!("AlterTableCmd" in item)) return [];
    const cmd = item.AlterTableCmd;
    return { ...(subcommands[cmd.subtype ?? "AT_AddColumn"] ?? unheardOf), cmd };
  });
}

/** The rule for a subcommand that a newer grammar added and this program's types don't have. */
const unheardOf: Subcommand = { opinion: { unknown: "the review doesn't know it" } };

function isOfTable({ objtype }: AlterTableStmt): boolean {
  return objtype !== "OBJECT_SEQUENCE" && objtype !== "OBJECT_TYPE" && objtype !== "OBJECT_INDEX";
}

function lock(statement: AlterTableStmt, schema: Schema, effects: Effects): void {
  const { relation } = statement;
  if (!relation || !isOfTable(statement)) return;
  const name = nameOf(relation);
  const table = schema.table(name);
  const found = new Effects();
  const commands = commandsOf(statement);
  for (const { cmd, lock = "ACCESS EXCLUSIVE", work } of commands) {
    const mode = typeof lock === "string" ? lock : lock(cmd);
    const on = (work: Work, because?: string, uncertain = false) =>
      void found.touch(name, mode, work, because, uncertain);
    on("none");
    work?.(cmd, { relation, name, table, schema, effects: found, on });
  }
  const attaching = commands.some(({ cmd }) => /Partition/.test(cmd.subtype ?? ""));
  // Without ONLY (the parser's `inh` is true), what happens to a table also happens to its partitions and children.
  const children = relation.inh && !attaching ? schema.descendants(keyOf(name)) : [];
  for (const { name: on, lock, work, because, uncertain } of found.done().tables) {
    const own = keyOf(on) === keyOf(name);
    // A partitioned table has no rows of its own, so there is no work on it.
    effects.touch(on, lock, own && table?.partitioned && !attaching ? "none" : work, because, uncertain);
    if (own) for (const child of children) effects.touch(child.name, lock, work, because, uncertain);
  }
}

function undo(statement: AlterTableStmt, before: Before): Undo[] {
  const { relation, objtype } = statement;
  if (!relation) return [];
  const name = nameOf(relation);
  const table = before.schema.table(name);
  const only = relation.inh || objtype !== "OBJECT_TABLE" ? "" : "ONLY ";
  const head = `ALTER ${objectName(objtype)} ${only}${nameText(name)}`;
  const isType = objtype === "OBJECT_TYPE";
  const context = {
    ...before,
    name,
    key: keyOf(name),
    table,
    isType,
    alter: (command: string) => `${head} ${command}`,
  };
  return commandsOf(statement).flatMap(
    ({ cmd, undo }) =>
      undo?.(cmd, context) ?? [
        { of: { kind: "table", key: context.key }, never: "this program knows no statement that takes it back" },
      ],
  );
}
